// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "fakes/proves.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"
#include "protocol/job_status.h"

namespace nexa::orchestration {
namespace {

using protocol::JobStatus;

constexpr std::chrono::seconds kLease{60};
constexpr int kJobs = 4;
constexpr int kSteps = 400;

/// Every change of status there is; one that has ended has none.
const std::map<JobStatus, std::set<JobStatus>> kTransitions{
    {JobStatus::kPending, {JobStatus::kAssigned, JobStatus::kCancelled}},
    {JobStatus::kAssigned,
     {JobStatus::kRunning,
      JobStatus::kPending,
      JobStatus::kCompleted,
      JobStatus::kFailed,
      JobStatus::kCancelled}},
    {JobStatus::kRunning,
     {JobStatus::kPending, JobStatus::kCompleted, JobStatus::kFailed, JobStatus::kCancelled}},
    {JobStatus::kCompleted, {}},
    {JobStatus::kFailed, {}},
    {JobStatus::kCancelled, {}},
};

using History = std::tuple<fakes::DatabaseKind, unsigned>;  ///< on which, and the seed

class JobStatesTest : public DatabaseFixture, public ::testing::WithParamInterface<History> {
protected:
    fakes::DatabaseKind kind() const override { return std::get<0>(GetParam()); }

    /// One thing that a worker, an operator, a user or time may do, also with a lease long lost.
    void do_anything() {
        const std::string worker = fmt::format("w{}", random.uniform(2));
        const LeaseRef lease = leases.empty() ? LeaseRef{} : leases[random.uniform(leases.size())];
        switch (random.uniform(9)) {
            case 0:
            case 1:
                claim(worker);
                break;
            case 2:
                attempt([&](db::Tx& tx) { return rules.renew(tx, lease, true); });
                break;
            case 3:
                attempt([&](db::Tx& tx) { return rules.complete(tx, lease); });
                break;
            case 4:
                attempt([&](db::Tx& tx) {
                    return rules.fail(
                        tx,
                        lease,
                        {.retryable = random.uniform(2) == 0, .backoff = std::chrono::seconds{1}}
                    );
                });
                break;
            case 5:
                attempt([&](db::Tx& tx) { return rules.hand_back(tx, lease); });
                break;
            case 6:
                attempt([&](db::Tx& tx) { return Leases::take_from(tx, worker); });
                break;
            case 7:
                clock.advance(std::chrono::seconds{random.uniform(40)});
                attempt([&](db::Tx& tx) { return rules.expire(tx); });
                break;
            default:
                if (random.uniform(4) == 0) {
                    const JobId& job_id = jobs[random.uniform(jobs.size())];
                    attempt([&](db::Tx& tx) { return job_store::cancel(tx, job_id, "prj_a"); });
                }
        }
    }

    void claim(const std::string& worker) {
        const auto granted =
            write([&](db::Tx& tx) { return rules.claim(tx, {.worker_id = worker, .slots = 1}); });
        ASSERT_TRUE(granted);
        for (const Lease& lease : *granted) {
            leases.push_back(lease.ref);
        }
    }

    /// What is refused leaves everything as it was, which look() sees.
    template <class F>
    void attempt(F f) {
        static_cast<void>(write(std::move(f)));
    }

    fakes::SeededRandom random{std::get<1>(GetParam())};
    Leases rules{LeaseOptions{.lease = kLease}};
    std::vector<JobId> jobs;
    std::vector<LeaseRef> leases;
};

TEST_P(JobStatesTest, ChangeAsListedAndNoMoreOnceAJobHasEnded) {
    NEXA_PROVES("T-70");
    constexpr int kChangesMin = 8;  // fewer, and the walk went nowhere
    int changes = 0;
    std::vector<JobStatus> seen;
    for (int i = 0; i < kJobs; ++i) {
        jobs.push_back(add_job());
        seen.push_back(JobStatus::kPending);
    }
    for (int step = 0; step < kSteps; ++step) {
        do_anything();
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const JobStatus now = job(jobs[i]).status;
            if (now != seen[i]) {
                EXPECT_TRUE(kTransitions.at(seen[i]).contains(now))
                    << protocol::to_string(seen[i]) << " to " << protocol::to_string(now);
                seen[i] = now;
                ++changes;
            }
        }
    }
    EXPECT_GE(changes, kChangesMin);
}

INSTANTIATE_TEST_SUITE_P(
    SeedsOnSqlite,
    JobStatesTest,
    ::testing::Combine(::testing::Values(fakes::DatabaseKind::kSqlite), ::testing::Range(1U, 13U))
);
// Fewer: a step there asks a server.
INSTANTIATE_TEST_SUITE_P(
    SeedsOnPostgres,
    JobStatesTest,
    ::testing::Combine(::testing::Values(fakes::DatabaseKind::kPostgres), ::testing::Range(1U, 4U))
);

}  // namespace
}  // namespace nexa::orchestration
