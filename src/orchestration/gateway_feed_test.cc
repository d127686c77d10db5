// SPDX-License-Identifier: Apache-2.0
#include "orchestration/gateway_feed.h"

#include "accounts/key_gate.h"
#include "crypto/dsse.h"
#include "fakes/proves.h"
#include "fleet/envelope.h"
#include "net/task.h"
#include "net/task_group.h"
#include "orchestration/deploy_test_internal.h"
#include "orchestration/series_test_internal.h"

namespace nexa::orchestration {
namespace {

using namespace std::chrono_literals;

/// The feed with its own threads around it; time is the test's.
class GatewayFeedTest : public DeployTest {
protected:
    void SetUp() override {
        DeployTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        writer->start();
        backend.emplace(Backend{*database, *writer, pools.db});
        feed.emplace(
            GatewayFeed::Collaborators{
                *backend, key, signal, billing::default_rate_card(), counters, workflows
            },
            GatewayFeedOptions{
                .activation = {.time = kActivation}, .poll = 5ms, .overdue_poll = 2ms
            }
        );
        gate.emplace(
            accounts::KeyGate::Collaborators{*database, *writer, pools.db, ids, clock, random}
        );
        const auto minted = gate->mint_owner_key("admin").value();
        owner = wait(gate->authenticate(std::string(minted.key.secret()))).value();
    }
    void TearDown() override {
        if (writer) {
            writer->stop();
        }
        pools.db.stop();
        pools.cpu.stop();
        pools.io.stop();
    }

    template <class T>
    Result<T> wait(net::Task<T> task) {
        return net::blocking::wait(pools.io.executor(), std::move(task));
    }
    protocol::GatewaySnapshot open(const protocol::Envelope& message) {
        const auto envelope = fleet::from_message(message).value();
        const Status verified = fleet::verify_signed_by(
            envelope, protocol::kGatewaySnapshotPayloadType, feed->public_key()
        );
        EXPECT_TRUE(verified) << verified.error().to_string();
        return from_json<protocol::GatewaySnapshot>(envelope.payload).value();
    }
    protocol::GatewaySnapshot get(std::int64_t serial, std::chrono::nanoseconds wait_time = 0s) {
        return open(
            wait(feed->snapshot({.region = "local", .serial = serial, .wait = wait_time})).value()
        );
    }
    Status execute(const std::string& text) {
        return wait(backend->write([text](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(statement(text)));
            return {};
        }));
    }
    std::map<std::string, double> finished() {
        return series_of(registry, "nexa_jobs_finished_total");
    }

    net::Pools pools;
    net::Signal signal;
    MetricRegistry registry;
    const JobCounters counters{registry};
    const WorkflowDriver workflows{{ids, signal, signal, counters}};
    crypto::Ed25519PrivateKey key = crypto::Ed25519PrivateKey::generate(random);
    std::optional<Backend> backend;
    std::optional<GatewayFeed> feed;
    std::optional<accounts::KeyGate> gate;
    accounts::Principal owner;
};

TEST_P(GatewayFeedTest, ASnapshotIsSignedAndHoldsDeploymentsAndKeys) {
    const JobId job_id = activate({.name = "adder"});
    const auto snapshot = get(0);
    EXPECT_GT(snapshot.serial, 0);
    EXPECT_EQ(snapshot.region, "local");
    ASSERT_EQ(snapshot.deployments.size(), 1U);
    const auto& deployment = snapshot.deployments.front();
    EXPECT_EQ(deployment.deployment_id, deployment_of(job_id));
    EXPECT_EQ(deployment.name, "adder");
    EXPECT_EQ(deployment.project_id, "prj_a");
    ASSERT_EQ(deployment.files.size(), 1U);
    EXPECT_EQ(deployment.files.front().path, "config.json");
    EXPECT_TRUE(deployment.root_digest.starts_with("sha256:"));
    ASSERT_EQ(snapshot.keys.size(), 1U);
    EXPECT_EQ(snapshot.keys.front().key_id, owner.key_id);
    EXPECT_EQ(snapshot.keys.front().sha256.size(), 64U);
}

TEST_P(GatewayFeedTest, AChangedPayloadIsNotBelieved) {
    auto envelope = fleet::from_message(wait(feed->snapshot({.region = "local"})).value()).value();
    envelope.payload += " ";
    EXPECT_FALSE(
        fleet::verify_signed_by(envelope, protocol::kGatewaySnapshotPayloadType, feed->public_key())
    );
}

TEST_P(GatewayFeedTest, TheWaitEndsWithTheSameSerialWhenNothingChanges) {
    const auto first = get(0);
    EXPECT_EQ(get(first.serial, 20ms).serial, first.serial);
    EXPECT_EQ(get(first.serial + 7, 1h).serial, first.serial);  // a database that was put back
}

TEST_P(GatewayFeedTest, ARevokedKeyEndsTheWaitAndIsGone) {
    const auto made = wait(gate->create({.name = "app"}, owner)).value();
    const auto before = get(0);
    ASSERT_EQ(before.keys.size(), 2U);
    std::promise<protocol::GatewaySnapshot> promise;
    auto answer = promise.get_future();
    std::thread waiting([&] { promise.set_value(get(before.serial, 1h)); });
    EXPECT_EQ(answer.wait_for(20ms), std::future_status::timeout);
    ASSERT_TRUE(wait(gate->revoke(made.key_id, owner)));
    const auto after = answer.get();
    waiting.join();
    EXPECT_GT(after.serial, before.serial);
    ASSERT_EQ(after.keys.size(), 1U);
    EXPECT_EQ(after.keys.front().key_id, owner.key_id);
}

TEST_P(GatewayFeedTest, AReportEndsTheJobAndTellsTheSerial) {
    const JobId job_id = activate();
    auto report = report_of({{.deployment_id = deployment_of(job_id), .state = "ready"}});
    report.url = "http://localhost:8080//";
    const auto reply = wait(feed->report(report));
    ASSERT_TRUE(reply) << reply.error().to_string();
    EXPECT_EQ(reply->serial, serial());
    const auto result = from_json<protocol::DeployResult>(job(job_id).result.value().text).value();
    EXPECT_EQ(result.inference_url, "http://localhost:8080/v1");
    const std::map<std::string, double> once{{"deploy completed", 1}};
    EXPECT_EQ(finished(), once);
    ASSERT_TRUE(wait(feed->report(report)));
    EXPECT_EQ(finished(), once);
}

TEST_P(GatewayFeedTest, WhatAGatewayCannotServeCountsAsFailed) {
    const JobId job_id = activate();
    const auto reply =
        wait(feed->report(report_of({{.deployment_id = deployment_of(job_id), .state = "failed"}}))
        );
    ASSERT_TRUE(reply) << reply.error().to_string();
    EXPECT_EQ(finished(), (std::map<std::string, double>{{"deploy failed", 1}}));
}

TEST_P(GatewayFeedTest, TheWatchWaitsForADiskThatIsFullAtTheStart) {
    const JobId job_id = activate();
    const bool is_sqlite = kind() == fakes::DatabaseKind::kSqlite;
    ASSERT_TRUE(execute(
        is_sqlite
            ? "CREATE TRIGGER full BEFORE UPDATE ON job BEGIN SELECT RAISE(FAIL, 'is full'); END"
            : "ALTER TABLE job ADD CONSTRAINT is_full CHECK (false) NOT VALID"
    ));
    clock.advance(kActivation + 1s);
    std::atomic<int> ended = 0;
    net::TaskGroup tasks(pools.io, [&](std::string_view, const Error&) { ++ended; });
    ASSERT_TRUE(tasks.spawn("watch", feed->watch_activations()));
    ASSERT_TRUE(wait(net::sleep_for(20ms)));
    ASSERT_EQ(ended, 0) << "the watch has ended";
    ASSERT_TRUE(execute(is_sqlite ? "DROP TRIGGER full" : "ALTER TABLE job DROP CONSTRAINT is_full")
    );
    // The server was away, as far as it knows: the full time counts from now, and then it is over.
    const auto until = [&](std::string_view state) {
        for (int i = 0; i < 5'000 && job(job_id).state != state; ++i) {
            EXPECT_TRUE(wait(net::sleep_for(2ms)));
            clock.advance(1s);
        }
        return job(job_id).state == state;
    };
    const Timestamp freed = clock.now();
    EXPECT_TRUE(until("dead"));
    EXPECT_GE(clock.now() - freed, kActivation - 1s);
    net::blocking::stop(pools.io, tasks);
}

TEST_P(GatewayFeedTest, AnAddressThatNobodyCanCallIsRefused) {
    for (const char* url :
         {"localhost:8080", "ftp://x", "http://", "https:///", "http://a b", ""}) {
        auto report = report_of({});
        report.url = url;
        const auto reply = wait(feed->report(report));
        ASSERT_FALSE(reply) << url;
        EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(reply.error().param, "url");
    }
    EXPECT_EQ(count("gateway"), 0);
}

NEXA_ON_BOTH_DATABASES(GatewayFeedTest);

}  // namespace
}  // namespace nexa::orchestration
