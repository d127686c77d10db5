// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_waiting.h"

#include <gtest/gtest.h>

#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"

namespace nexa::orchestration {
namespace {

constexpr QueuePlace kFirst{.max_running = 10};

FleetWorker worker() {
    return {.pool = "default", .membership = "approved", .gpus = 1, .memory_bytes = 1000};
}

std::string reason(const JobNeeds& needs, const std::vector<FleetWorker>& fleet) {
    return find_fit(needs, fleet, kFirst).blocked_by.value_or("nothing");
}

TEST(JobWaiting, AnIdleWorkerThatFitsLeavesNothingToWaitFor) {
    const std::vector fleet{worker()};
    const Fit fit = find_fit({.gpus = 1, .memory_bytes = 1000}, fleet, kFirst);
    EXPECT_EQ(fit.fitting, 1);
    EXPECT_EQ(fit.idle, 1);
    EXPECT_FALSE(fit.blocked_by);
}

TEST(JobWaiting, TheFirstThingThatWouldHaveToChangeIsNamed) {
    EXPECT_EQ(reason({}, {}), "no worker has registered");
    FleetWorker lost = worker();
    lost.lost = true;
    EXPECT_EQ(reason({}, {lost}), "none of 1 worker has been heard of for 90 s");
    EXPECT_EQ(
        reason({.pool = "gpu"}, {worker(), lost}),
        "no worker of pool 'gpu' is connected; there are workers of default"
    );
    EXPECT_EQ(
        reason({.gpus = 2}, {worker()}),
        "it needs 2 GPUs; the largest worker of pool 'default' has 1"
    );
    EXPECT_EQ(
        reason({.memory_bytes = 1001}, {worker()}),
        "it needs 1001 bytes of memory; the largest worker of pool 'default' has 1000"
    );
    FleetWorker roomy = worker();
    roomy.gpus = 0;
    roomy.memory_bytes = 5000;
    EXPECT_EQ(
        reason({.gpus = 1, .memory_bytes = 5000}, {worker(), roomy}),
        "no worker of pool 'default' has both 1 GPUs and 5000 bytes of memory"
    );
}

TEST(JobWaiting, WorkersThatTakeNoJobsAreCountedByWhy) {
    FleetWorker pending = worker();
    pending.membership = "pending";
    FleetWorker cordoned = worker();
    cordoned.membership = "cordoned";
    FleetWorker draining = worker();
    draining.draining = true;
    FleetWorker ill = worker();
    ill.is_well = false;
    EXPECT_EQ(
        reason({}, {pending, cordoned, draining, ill}),
        "none of the 4 workers that would fit takes jobs: 1 wait for approval, 1 cordoned, "
        "1 draining, 1 not well"
    );
    EXPECT_EQ(reason({}, {pending, cordoned, draining, ill, worker()}), "nothing");
}

TEST(JobWaiting, ABusyFleetAndTheProjectsLimitAreReasonsToo) {
    FleetWorker busy = worker();
    busy.held = 1;
    const std::vector fleet{busy};
    EXPECT_EQ(
        find_fit({}, fleet, {.ahead = 3, .running = 1, .max_running = 10}).blocked_by,
        "3 jobs of this project before it; 0 of 1 worker that fit are without a job"
    );
    const std::vector idle{worker()};
    EXPECT_EQ(
        find_fit({}, idle, {.running = 10, .max_running = 10}).blocked_by,
        "the project runs 10 jobs, and may run 10 at once"
    );
}

class WaitingRows : public DatabaseTest {
protected:
    std::optional<std::string> reason_of(const JobId& job_id) {
        return database
            ->read([&](db::Tx& tx) -> Result<std::optional<std::string>> {
                TRY(const Job job, job_store::get(tx, job_id, std::nullopt));
                return WaitingReasons(tx).of(job);
            })
            .value();
    }
    std::int64_t ahead(const JobId& job_id) {
        return database
            ->read([&](db::Tx& tx) {
                return read_place(
                    tx, {.tenant_id = "prj_a", .pool = "default", .job_id = job_id.text()}
                );
            })
            .value()
            .ahead;
    }
};
NEXA_ON_BOTH_DATABASES(WaitingRows);

TEST_P(WaitingRows, AJobStandsBehindThoseThatAreClaimedBeforeIt) {
    const JobId first = add_job();
    clock.advance(std::chrono::seconds(1));
    const JobId second = add_job();
    const JobId urgent = add_job("prj_a", -1);
    add_job("prj_b", -5);
    EXPECT_EQ(ahead(urgent), 0);
    EXPECT_EQ(ahead(first), 1);
    EXPECT_EQ(ahead(second), 2);
    const auto place = database
                           ->read([&](db::Tx& tx) {
                               return read_place(tx, {.tenant_id = "prj_a", .pool = "default"});
                           })
                           .value();
    EXPECT_EQ(place.ahead, 3);  // of one that would be submitted now
    EXPECT_EQ(reason_of(first), "no worker has registered");
}

TEST_P(WaitingRows, AJobThatIsHeldOrOverWaitsForNoWorker) {
    const JobId job_id = add_job();
    ASSERT_TRUE(write([&](db::Tx& tx) {
        return Leases(LeaseOptions{}).claim(tx, {.worker_id = "w1"});
    }));
    EXPECT_EQ(reason_of(job_id), "worker w1 stages its inputs");
    const JobId ended = add_job();
    ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, ended, "prj_a"); }));
    EXPECT_EQ(reason_of(ended), std::nullopt);
}

}  // namespace
}  // namespace nexa::orchestration
