// SPDX-License-Identifier: Apache-2.0
#include "orchestration/queue_counts.h"

#include "orchestration/activations.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"
#include "orchestration/worker_store.h"

namespace nexa::orchestration {
namespace {

using Counts = std::map<std::string, std::int64_t>;

class QueueCountsTest : public DatabaseTest {
protected:
    QueueCounts counts() {
        return database->read([](db::Tx& tx) { return count_queue(tx); }).value();
    }
};

TEST_P(QueueCountsTest, AnEmptyQueueHasAllItsStatesAtZero) {
    EXPECT_EQ(
        counts().jobs, (Counts{{"activating", 0}, {"leased", 0}, {"ready", 0}, {"scheduled", 0}})
    );
    EXPECT_EQ(counts().workers.at("approved"), 0);
}

TEST_P(QueueCountsTest, JobsAreCountedByStateUntilTheyAreOver) {
    for (int i = 0; i < 5; ++i) {
        add_job();
    }
    const Leases leases(LeaseOptions{});
    const auto held =
        write([&](db::Tx& tx) { return leases.claim(tx, {.worker_id = "w", .slots = 4}); }).value();
    ASSERT_EQ(held.size(), 4U);
    ASSERT_TRUE(write([&](db::Tx& tx) { return leases.complete(tx, held[0].ref); }));
    const Failure later{.retryable = true, .backoff = std::chrono::seconds{1}};
    ASSERT_TRUE(write([&](db::Tx& tx) { return leases.fail(tx, held[1].ref, later); }));
    const Activations activations{ActivationOptions{}};
    ASSERT_TRUE(write([&](db::Tx& tx) { return activations.begin(tx, held[2].ref); }));
    const Counts expected{{"activating", 1}, {"leased", 1}, {"ready", 1}, {"scheduled", 1}};
    EXPECT_EQ(counts().jobs, expected);
}

TEST_P(QueueCountsTest, WorkersAreCountedByMembership) {
    for (const std::string name : {"a", "b"}) {
        const NewWorker worker{
            .worker_id = "wrk_" + name,
            .public_key = name,
            .tenant_id = "prj_a",
            .name = name,
            .profile = {"{}"},
            .pool = "default",
        };
        ASSERT_TRUE(write([&](db::Tx& tx) { return worker_store::add(tx, worker); }));
    }
    const Counts expected{{"approved", 2}, {"cordoned", 0}, {"pending", 0}, {"revoked", 0}};
    EXPECT_EQ(counts().workers, expected);
}

NEXA_ON_BOTH_DATABASES(QueueCountsTest);

}  // namespace
}  // namespace nexa::orchestration
