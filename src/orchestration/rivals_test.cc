// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>

#include "fakes/rivals.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "orchestration/blob_registry.h"
#include "orchestration/deploy_test_internal.h"
#include "orchestration/job_charge.h"
#include "orchestration/job_inputs.h"
#include "orchestration/workflow_driver.h"
#include "orchestration/workflow_service.h"

namespace nexa::orchestration {
namespace {

/// Two coordinators that work on the same rows at the same moment.
class RivalsTest : public DatabaseTest {
protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        elsewhere = store->open();
        other = std::make_unique<db::Writer>(*elsewhere);
    }

    void add_dataset(
        const std::string& artifact_id, const std::optional<std::string>& job_id = std::nullopt
    ) {
        const Upload upload{
            .artifact_id = artifact_id,
            .tenant_id = "prj_a",
            .kind = "dataset",
            .name = "sums",
            .files = {{.path = "data.jsonl", .digest = "sha256:" + std::string(64, 'a'), .size = 3}
            },
        };
        const auto added = write([&](db::Tx& tx) -> Status {
            TRY(ArtifactRecord record, describe_upload(upload, tx.now()));
            record.job_id = job_id;
            return artifact_store::add(tx, record);
        });
        EXPECT_TRUE(added) << added.error().to_string();
    }
    static auto removes(std::string artifact_id) {
        return [artifact_id = std::move(artifact_id)](db::Tx& tx) {
            return artifact_store::remove(tx, artifact_id, "prj_a");
        };
    }
    auto submits_audit_of(const std::string& artifact_id) {
        NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "audit",
            .payload = {fmt::format(R"({{"dataset_uri":"{}"}})", artifact_id)},
        };
        return [job](db::Tx& tx) -> Status {
            NewJob with_inputs = job;
            TRY(with_inputs.inputs, find_inputs(tx, job.tenant_id, job.job_type, job.payload));
            TRY_STATUS(job_store::submit(tx, with_inputs));
            return {};
        };
    }

    std::vector<Lease> claim_all() {
        return write([&](db::Tx& tx) { return leases.claim(tx, {.worker_id = "w1", .slots = 16}); }
        ).value();
    }
    /// As the Dispatcher, in one transaction.
    auto hands_in(const Lease& lease) {
        const protocol::JobResult made{
            .job_id = lease.ref.job_id.text(),
            .worker_id = "w1",
            .fence = lease.ref.fence,
            .outcome = "completed",
            .result = JsonText{R"({"message":"m"})"},
        };
        return [this,
                checked = CheckedResult{.result = made, .envelope = "{}"}](db::Tx& tx) -> Status {
            TRY_STATUS(take_in(tx, {leases, activations, billing::default_rate_card()}, checked));
            TRY_STATUS(driver.advance(tx));
            return {};
        };
    }
    WorkflowId submit(std::string_view json) {
        const NewWorkflow workflow{
            .workflow_id = ids.make<WorkflowId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .definition = read_workflow(parse_json(json).value(), "").value(),
            .idempotency_key = {},
            .request_sha256 = std::string(json),
        };
        WorkflowNews news;
        return write([&](db::Tx& tx) { return submit_workflow(tx, driver, workflow, news); }
        ).value();
    }
    std::string states(const WorkflowId& workflow_id) {
        const auto view = to_view(
            database->read([&](db::Tx& tx) { return workflow_store::get(tx, workflow_id, "prj_a"); }
            ).value()
        );
        std::string text = view.status + ":";
        for (const auto& step : view.steps) {
            text += fmt::format(" {}={}", step.name, step.status);
        }
        return text;
    }
    std::int64_t count(std::string_view what) {
        const std::string text = fmt::format("SELECT count(*) AS n FROM {}", what);
        return database->read([&](db::Tx& tx) { return tx.query_one(statement(text)); })
            .value()
            ->int64("n");
    }

    std::unique_ptr<db::Database> elsewhere;
    std::unique_ptr<db::Writer> other;
    Leases leases{LeaseOptions{.lease = std::chrono::seconds{60}}};
    Activations activations{ActivationOptions{}};
    net::Signal signal;
    MetricRegistry registry;
    const JobCounters counters{registry};
    const WorkflowDriver driver{{ids, signal, signal, counters}, {"local"}};
};

TEST_P(RivalsTest, ABlobThatIsJustNamedIsNotCollected) {
    const std::string digest = "sha256:" + std::string(64, 'a');
    constexpr BlobAges kDay{.unseen = std::chrono::hours(24)};
    const auto names = [&](db::Tx& tx) { return blob_registry::see(tx, digest, 3); };
    const auto collects = [&](db::Tx& tx) {
        return blob_registry::begin_collecting(tx, digest, kDay);
    };
    ASSERT_TRUE(write(names));
    clock.advance(std::chrono::hours(25));
    const auto [named, collected] = fakes::as_rivals(*writer, names, *other, collects);
    EXPECT_TRUE(named);
    EXPECT_EQ(collected.value(), std::nullopt);

    clock.advance(std::chrono::hours(25));
    const auto [first, late] = fakes::as_rivals(*writer, collects, *other, names);
    EXPECT_EQ(first.value(), 3);
    EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
}

TEST_P(RivalsTest, WhatAJobIsJustSubmittedWithIsNotDeleted) {
    add_dataset("ds_1");
    const auto [submitted, removed] =
        fakes::as_rivals(*writer, submits_audit_of("ds_1"), *other, removes("ds_1"));
    EXPECT_TRUE(submitted) << submitted.error().to_string();
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().code, ErrorCode::kConflict);
}

TEST_P(RivalsTest, WhatIsJustBeingDeletedIsNoInput) {
    add_dataset("ds_1");
    const auto [removed, submitted] =
        fakes::as_rivals(*writer, removes("ds_1"), *other, submits_audit_of("ds_1"));
    EXPECT_TRUE(removed) << removed.error().to_string();
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(count("job"), 0);
}

TEST_P(RivalsTest, StorageOfAJobEndsWithItsLastArtifactWhoeverDeletesIt) {
    const JobId job_id = add_job();
    const Lease lease = claim_all().at(0);
    ASSERT_TRUE(write(hands_in(lease)));
    add_dataset("ds_1", job_id.text());
    add_dataset("ds_2", job_id.text());
    ASSERT_TRUE(write([&](db::Tx& tx) -> Status {
        const Job done = job_store::get(tx, job_id, std::nullopt).value();
        return charge(tx, billing::default_rate_card(), done, {.stored_bytes = 6});
    }));
    ASSERT_EQ(count("usage_record WHERE meter = 'stored_bytes' AND ends_at IS NULL"), 1);
    const auto [first, second] =
        fakes::as_rivals(*writer, removes("ds_1"), *other, removes("ds_2"));
    EXPECT_TRUE(first) << first.error().to_string();
    EXPECT_TRUE(second) << second.error().to_string();
    EXPECT_EQ(count("usage_record WHERE meter = 'stored_bytes' AND ends_at IS NULL"), 0);
}

constexpr std::string_view kJoin = R"({"steps":{
    "left":{"job_type":"echo","spec":{"message":"l"}},
    "right":{"job_type":"echo","spec":{"message":"r"}},
    "join":{"job_type":"echo","needs":["left","right"],"spec":{"message":"j"}}}})";

TEST_P(RivalsTest, AStepThatWaitsForTwoJobsStartsOnceThoughTheyEndAtOnce) {
    const WorkflowId id = submit(kJoin);
    const auto granted = claim_all();
    ASSERT_EQ(granted.size(), 2U);
    const auto [first, second] =
        fakes::as_rivals(*writer, hands_in(granted[0]), *other, hands_in(granted[1]));
    EXPECT_TRUE(first) << first.error().to_string();
    EXPECT_TRUE(second) << second.error().to_string();
    EXPECT_EQ(states(id), "running: left=completed right=completed join=pending");
    EXPECT_EQ(count("job"), 3);
}

TEST_P(RivalsTest, AnEndThatIsCommittedWhileItsWorkflowIsLookedAtIsStillNews) {
    const WorkflowId id = submit(kJoin);
    const auto granted = claim_all();
    ASSERT_EQ(granted.size(), 2U);
    const JobId& cancelled = granted[1].ref.job_id;
    ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, cancelled, "prj_a"); }));
    ASSERT_TRUE(write([&](db::Tx& tx) -> Status {
        TRY(WorkflowHead head, workflow_store::take(tx, id));
        TRY(const StoredWorkflow stored, workflow_store::load(tx, std::move(head)));
        // Its worker is removed, which takes no workflow.
        const auto taken = other->run([](db::Tx& there) { return take_from(there, "w1"); });
        EXPECT_TRUE(taken) << taken.error().to_string();
        TRY_STATUS(workflow_store::save(tx, id, stored.record, stored.record));
        return workflow_store::clear_news(tx, id);
    }));
    EXPECT_EQ(states(id), "running: left=pending right=cancelled join=blocked");
    ASSERT_TRUE(write([&](db::Tx& tx) { return driver.advance(tx); }));
    EXPECT_NE(states(id).find("join=skipped"), std::string::npos) << states(id);
    EXPECT_EQ(count("workflow_branch WHERE has_news"), 0);
}

// With SQLite the second waits before it begins.
INSTANTIATE_TEST_SUITE_P(OnPostgres, RivalsTest, ::testing::Values(fakes::DatabaseKind::kPostgres));

}  // namespace
}  // namespace nexa::orchestration
