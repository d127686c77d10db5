// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_driver.h"

#include <algorithm>

#include "fakes/proves.h"
#include "orchestration/deploy_test_internal.h"
#include "orchestration/workflow_manifest.h"
#include "orchestration/workflow_service.h"

namespace nexa::orchestration {
namespace {

/// Workflows over real rows; the test is their worker.
class WorkflowDriverTest : public DeployTest {
protected:
    Result<WorkflowId> submit(
        std::string_view json, const std::optional<std::string>& key = std::nullopt
    ) {
        auto definition = read_workflow(parse_json(json).value(), "");
        if (!definition) {
            return std::move(definition).error();
        }
        const NewWorkflow workflow{
            .workflow_id = ids.make<WorkflowId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .definition = *std::move(definition),
            .idempotency_key = key,
            .request_sha256 = std::string(json),
        };
        news = {};
        return write([&](db::Tx& tx) { return submit_workflow(tx, driver, workflow, news); });
    }
    WorkflowId submitted(std::string_view json) {
        auto workflow_id = submit(json);
        EXPECT_TRUE(workflow_id) << workflow_id.error().to_string();
        return workflow_id.value_or(WorkflowId());
    }
    StoredWorkflow stored(const WorkflowId& workflow_id) {
        return database
            ->read([&](db::Tx& tx) { return workflow_store::get(tx, workflow_id, "prj_a"); })
            .value();
    }
    std::string states(const WorkflowId& workflow_id) {
        const protocol::WorkflowView view = to_view(stored(workflow_id));
        std::string text = view.status + ":";
        for (const auto& step : view.steps) {
            text += fmt::format(" {}={}", step.name, step.status);
        }
        return text;
    }
    std::vector<Lease> claim_all() {
        return write([&](db::Tx& tx) { return leases.claim(tx, {.worker_id = "w1", .slots = 16}); }
        ).value();
    }
    /// What a worker hands in, and what follows, in one transaction as in the Dispatcher.
    Status hand_in(
        const Lease& lease,
        std::string_view outcome,
        std::string_view result = R"({"message":"m"})",
        bool fail_at_the_end = false
    ) {
        protocol::JobResult made{
            .job_id = lease.ref.job_id.text(),
            .worker_id = "w1",
            .fence = lease.ref.fence,
            .outcome = std::string(outcome),
        };
        if (outcome == "completed") {
            made.result = JsonText{std::string(result)};
        } else {
            made.error = protocol::EngineError{.code = "internal", .message = "it broke"};
        }
        const CheckedResult checked{.result = made, .envelope = "{}"};
        return write([&](db::Tx& tx) -> Status {
            const auto taken =
                take_in(tx, {leases, activations, billing::default_rate_card()}, checked);
            if (!taken) {
                return taken.error();
            }
            auto advanced = driver.advance(tx);
            if (!advanced) {
                return std::move(advanced).error();
            }
            news = *std::move(advanced);
            // As a kill before the commit: nothing of it happened.
            return fail_at_the_end ? Status(Error::unavailable("killed")) : Status();
        });
    }
    static std::string name_of(const Job& job) { return job.name.value_or(""); }

    net::Signal signal;
    MetricRegistry registry;
    const JobCounters counters{registry};
    const WorkflowDriver driver{{ids, signal, signal, counters}, {"local"}};
    WorkflowNews news;
};

constexpr std::string_view kDiamond = R"({"name":"d","steps":{
    "top":{"job_type":"echo","spec":{"message":"t"}},
    "left":{"job_type":"echo","needs":["top"],"spec":{"message":"l"},"pool":"gpu"},
    "right":{"job_type":"echo","needs":["top"],"spec":{"message":"r"}},
    "join":{"job_type":"echo","spec":{"message":"${{steps.left.outputs.message}}${{steps.right.outputs.message}}"}}}})";

TEST_P(WorkflowDriverTest, StepsBecomeJobsWithTheCommitThatTookInWhatTheyNeed) {
    const WorkflowId id = submitted(kDiamond);
    EXPECT_EQ(states(id), "running: top=pending left=blocked right=blocked join=blocked");
    const auto top = claim_all();
    ASSERT_EQ(top.size(), 1U);
    EXPECT_EQ(name_of(job(top[0].ref.job_id)), "d / top");
    EXPECT_EQ(states(id), "running: top=assigned left=blocked right=blocked join=blocked");

    EXPECT_FALSE(hand_in(top[0], "completed", R"({"message":"m"})", true));
    restart();
    EXPECT_EQ(states(id), "running: top=assigned left=blocked right=blocked join=blocked");
    EXPECT_EQ(count("job"), 1);

    ASSERT_TRUE(hand_in(top[0], "completed"));
    restart();
    EXPECT_EQ(states(id), "running: top=completed left=pending right=pending join=blocked");
    EXPECT_EQ(news.started.size(), 2U);
    EXPECT_EQ(hand_in(top[0], "completed").error().code, ErrorCode::kConflict);
    EXPECT_EQ(count("job"), 3);

    const auto right = claim_all();  // the other one is for another pool
    ASSERT_EQ(right.size(), 1U);
    ASSERT_TRUE(hand_in(right[0], "completed", R"({"message":"R"})"));
    const auto left = write([&](db::Tx& tx) {
                          return leases.claim(tx, {.worker_id = "w1", .pool = "gpu"});
                      }).value();
    ASSERT_EQ(left.size(), 1U);
    ASSERT_TRUE(hand_in(left[0], "completed", R"({"message":"L"})"));
    const auto join = claim_all();
    ASSERT_EQ(join.size(), 1U);
    EXPECT_NE(job(join[0].ref.job_id).payload.text.find(R"("message":"LR")"), std::string::npos);
    ASSERT_TRUE(hand_in(join[0], "completed"));
    EXPECT_EQ(states(id), "completed: top=completed left=completed right=completed join=completed");
    EXPECT_TRUE(stored(id).head.finished_at);
}

TEST_P(WorkflowDriverTest, AFailedJobStopsItsDependantsAndOneLostTooOftenAlso) {
    const WorkflowId id = submitted(kDiamond);
    ASSERT_TRUE(hand_in(claim_all().at(0), "failed"));
    EXPECT_EQ(states(id), "failed: top=failed left=skipped right=skipped join=skipped");
    EXPECT_EQ(stored(id).record.steps[0].reason, "internal: it broke");

    const WorkflowId lost =
        submitted(R"({"steps":{"a":{"job_type":"echo","spec":{"message":"x"}}}})");
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(claim_all().size(), 1U);
        clock.advance(std::chrono::seconds{60});
        ASSERT_TRUE(write([&](db::Tx& tx) -> Status {
            const auto taken = take_back(tx, leases);
            const auto told = driver.advance(tx);
            return taken && told ? Status() : Status(Error::internal("no"));
        }));
    }
    EXPECT_EQ(states(lost), "failed: a=failed");
}

TEST_P(WorkflowDriverTest, CancellingTheWorkflowCancelsItsJobs) {
    const WorkflowId id = submitted(kDiamond);
    ASSERT_TRUE(hand_in(claim_all().at(0), "completed"));
    const auto right = claim_all();
    ASSERT_EQ(right.size(), 1U);
    ASSERT_TRUE(write([&](db::Tx& tx) { return driver.cancel(tx, id, news); }));
    EXPECT_EQ(states(id), "running: top=completed left=cancelled right=assigned join=cancelled");
    EXPECT_TRUE(job(right[0].ref.job_id).cancel_requested);
    ASSERT_TRUE(hand_in(right[0], "cancelled"));
    EXPECT_EQ(states(id), "cancelled: top=completed left=cancelled right=cancelled join=cancelled");
    EXPECT_EQ(count("job"), 3);
}

TEST_P(WorkflowDriverTest, AnEndThatNobodyTookUpIsTakenUpByTheNextLook) {
    const WorkflowId id = submitted(kDiamond);
    const Job top = job(JobId::parse(stored(id).record.steps[0].branches[0].job_id).value());
    // As an older coordinator would, that does not know of workflows.
    ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, top.job_id, "prj_a"); }));
    EXPECT_EQ(states(id), "running: top=cancelled left=blocked right=blocked join=blocked");
    ASSERT_TRUE(write([&](db::Tx& tx) { return driver.advance(tx); }));
    EXPECT_EQ(states(id), "failed: top=cancelled left=skipped right=skipped join=skipped");
}

TEST_P(WorkflowDriverTest, ARerunMakesNewJobsFromItsStepOnAndKeepsTheOthers) {
    const WorkflowId id = submitted(kDiamond);
    ASSERT_TRUE(hand_in(claim_all().at(0), "completed"));
    ASSERT_TRUE(hand_in(claim_all().at(0), "failed"));
    const auto left = write([&](db::Tx& tx) {
                          return leases.claim(tx, {.worker_id = "w1", .pool = "gpu"});
                      }).value();
    ASSERT_TRUE(hand_in(left.at(0), "completed", R"({"message":"L"})"));
    EXPECT_EQ(states(id), "failed: top=completed left=completed right=failed join=skipped");
    ASSERT_TRUE(write([&](db::Tx& tx) { return driver.rerun(tx, id, "right", news); }));
    EXPECT_EQ(states(id), "running: top=completed left=completed right=pending join=blocked");
    EXPECT_FALSE(stored(id).head.finished_at);
    ASSERT_TRUE(hand_in(claim_all().at(0), "completed", R"({"message":"R2"})"));
    const auto join = claim_all();
    EXPECT_NE(job(join.at(0).ref.job_id).payload.text.find("LR2"), std::string::npos);
    ASSERT_TRUE(hand_in(join[0], "completed"));
    EXPECT_EQ(stored(id).record.run, 2);
    EXPECT_EQ(states(id).substr(0, 9), "completed");
}

TEST_P(WorkflowDriverTest, AMatrixThatRunsAgainHasNewJobsAndNoMore) {
    const WorkflowId fan = submitted(R"({"inputs":{"n":[1,2,3]},"steps":{
        "fan":{"job_type":"echo","matrix":{"n":"${{ inputs.n }}"},"spec":{"message":"${{ matrix.n }}x"}}}})"
    );
    const auto three = claim_all();
    ASSERT_EQ(three.size(), 3U);
    for (const Lease& lease : three) {
        ASSERT_TRUE(hand_in(lease, "completed"));
    }
    const auto view = to_view(stored(fan));
    EXPECT_EQ(view.steps[0].jobs.size(), 3U);
    EXPECT_EQ(view.steps[0].job_id, std::nullopt);
    EXPECT_EQ(view.steps[0].jobs[2].matrix->text, R"({"n":3})");
    EXPECT_EQ(view.steps[0].outputs->text, R"({"message":["m","m","m"]})");
    ASSERT_TRUE(write([&](db::Tx& tx) { return driver.rerun(tx, fan, "fan", news); }));
    EXPECT_EQ(states(fan), "running: fan=running");
    EXPECT_EQ(claim_all().size(), 3U);
    EXPECT_EQ(count("workflow_branch"), 3);
}

TEST_P(WorkflowDriverTest, TheSameKeyGivesTheSameWorkflowAndAnotherRequestIsRefused) {
    const auto first = submit(kDiamond, "k1");
    const auto second = submit(kDiamond, "k1");
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first, *second);
    EXPECT_EQ(count("job"), 1);
    const auto other =
        submit(R"({"steps":{"a":{"job_type":"echo","spec":{"message":"x"}}}})", "k1");
    EXPECT_EQ(other.error().param, "Idempotency-Key");
}

TEST_P(WorkflowDriverTest, AnInputThatIsNotStoredIsRefusedAtOnceAndNothingIsLeft) {
    const auto refused = submit(R"({"inputs":{"d":"ds_nope"},"steps":{
        "first":{"job_type":"echo","spec":{"message":"x"}},
        "audit":{"job_type":"audit","needs":["first"],"spec":{"dataset_uri":"${{ inputs.d }}"}}}})"
    );
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().param, "steps.audit.spec.dataset_uri") << refused.error().to_string();
    EXPECT_EQ(count("workflow"), 0);
    EXPECT_EQ(count("job"), 0);
}

TEST_P(WorkflowDriverTest, AnInputThatTurnsOutNotToBeStoredFailsItsStepAndNotTheWorkersCall) {
    const WorkflowId id = submitted(R"({"steps":{
        "a":{"job_type":"echo","spec":{"message":"ds_nope"}},
        "audit":{"job_type":"audit","spec":{"dataset_uri":"${{ steps.a.outputs.message }}"}}}})");
    const auto lease = claim_all().at(0);
    ASSERT_TRUE(hand_in(lease, "completed", R"({"message":"ds_nope"})"));
    EXPECT_EQ(states(id), "failed: a=completed audit=failed");
    EXPECT_NE(stored(id).record.steps[1].reason.find("spec.dataset_uri"), std::string::npos)
        << stored(id).record.steps[1].reason;
    EXPECT_EQ(job(lease.ref.job_id).status, protocol::JobStatus::kCompleted);
}

TEST_P(WorkflowDriverTest, ADefinitionThatCannotBeReadAnyMoreEndsItsWorkflowAndNoOther) {
    const WorkflowId broken =
        submitted(R"({"steps":{"a":{"job_type":"echo","spec":{"message":"x"}}}})");
    const WorkflowId whole =
        submitted(R"({"steps":{"a":{"job_type":"echo","spec":{"message":"x"}}}})");
    const std::string text =
        fmt::format("UPDATE workflow SET definition = '{{}}' WHERE id = '{}'", broken.text());
    ASSERT_TRUE(write([&](db::Tx& tx) { return tx.execute(statement(text)); }));
    for (const Lease& lease : claim_all()) {
        EXPECT_TRUE(hand_in(lease, "completed"));
    }
    EXPECT_EQ(states(whole), "completed: a=completed");
    const auto state = database->read([&](db::Tx& tx) {
        return tx.query_one(statement("SELECT state FROM workflow ORDER BY id LIMIT 1"));
    });
    EXPECT_EQ(state.value()->text("state"), "failed");
}

TEST_P(WorkflowDriverTest, AnotherProjectsWorkflowIsNotFound) {
    const WorkflowId id = submitted(kDiamond);
    const auto other =
        database->read([&](db::Tx& tx) { return workflow_store::get(tx, id, "prj_b"); });
    EXPECT_EQ(other.error().code, ErrorCode::kNotFound);
}

TEST_P(WorkflowDriverTest, TheManifestListsConfigCodeAndWhatWasMade) {
    const WorkflowId id =
        submitted(R"({"steps":{"a":{"job_type":"echo","spec":{"message":"x"}}}})");
    const auto manifest = [&] {
        return database
            ->read([&](db::Tx& tx) -> Result<RunManifest> {
                const auto whole = workflow_store::get(tx, id, "prj_a");
                return manifest_of(tx, *whole, {.version = "1.0", .git_commit = "abc"});
            })
            .value();
    };
    EXPECT_EQ(manifest().exit_status, std::nullopt);
    ASSERT_TRUE(hand_in(claim_all().at(0), "completed"));
    const RunManifest ended = manifest();
    EXPECT_EQ(ended.exit_status, 0);
    EXPECT_EQ(ended.run_id, id.text());
    EXPECT_EQ(ended.code.git_commit, "abc");
    EXPECT_NE(ended.config.text.find(R"("seconds":0)"), std::string::npos) << ended.config.text;
    EXPECT_TRUE(ended.validate()) << ended.validate().error().to_string();
}

NEXA_ON_BOTH_DATABASES(WorkflowDriverTest);

}  // namespace
}  // namespace nexa::orchestration
