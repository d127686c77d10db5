// SPDX-License-Identifier: Apache-2.0
//
// Replays random histories of the queue on the database and on a small model in memory, and
// compares them after every step. The seed of a failing history is in the failure's message.

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "fakes/seeds.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"

namespace nexa::orchestration {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr seconds kLease{60};
constexpr seconds kBackoff{7};
constexpr int kFailuresMax = 3;
constexpr int kLossesMax = 10;

/// The queue as one would explain it on a whiteboard: one tenant, so the order is by age.
class Model {
public:
    struct Entry {
        std::string state = "ready";
        Timestamp rank;
        Timestamp run_at;
        Timestamp lease_until;
        std::string worker;
        std::int64_t fence = 0;
        int failures = 0;
        int losses = 0;
        bool cancel_requested = false;
    };

    void submit(const std::string& id, Timestamp now) { jobs_[id] = {.rank = now, .run_at = now}; }

    void expire(Timestamp now) {
        for (auto& [id, job] : jobs_) {
            if (job.state == "scheduled" && job.run_at <= now) {
                job.state = "ready";
            }
            if (job.state == "leased" && job.lease_until <= now) {
                ++job.losses;
                job.state = job.cancel_requested       ? "cancelled"
                            : job.losses >= kLossesMax ? "dead"
                                                       : "ready";
            }
        }
    }

    std::optional<std::string> claim(const std::string& worker, Timestamp now) {
        expire(now);
        std::optional<std::string> best;
        for (const auto& [id, job] : jobs_) {
            if (job.state == "ready" &&
                (!best || std::pair(job.rank, id) < std::pair(jobs_[*best].rank, *best))) {
                best = id;
            }
        }
        if (best) {
            Entry& job = jobs_[*best];
            job.state = "leased";
            job.worker = worker;
            job.lease_until = now + kLease;
            ++job.fence;
        }
        return best;
    }

    bool holds(const LeaseRef& lease, Timestamp now) const {
        const Entry& job = jobs_.at(lease.job_id.text());
        return job.state == "leased" && job.worker == lease.worker_id && job.fence == lease.fence &&
               job.lease_until > now;
    }
    void renew(const LeaseRef& lease, Timestamp now) {
        jobs_[lease.job_id.text()].lease_until = now + kLease;
    }
    void complete(const LeaseRef& lease) { jobs_[lease.job_id.text()].state = "done"; }
    void hand_back(const LeaseRef& lease) {
        Entry& job = jobs_[lease.job_id.text()];
        job.state = job.cancel_requested ? "cancelled" : "ready";
    }
    void fail(const LeaseRef& lease, const Failure& failure, Timestamp now) {
        Entry& job = jobs_[lease.job_id.text()];
        if (job.cancel_requested || failure.cancelled) {
            job.state = "cancelled";
        } else {
            ++job.failures;
            job.state = failure.retryable && job.failures < kFailuresMax ? "scheduled" : "dead";
        }
        job.run_at = job.rank = now + failure.backoff;
    }
    void cancel(const std::string& id) {
        Entry& job = jobs_[id];
        if (job.state == "ready" || job.state == "scheduled") {
            job.state = "cancelled";
        }
        if (job.state == "leased" || job.state == "cancelled") {
            job.cancel_requested = true;
        }
    }
    const std::map<std::string, Entry>& jobs() const { return jobs_; }

private:
    std::map<std::string, Entry> jobs_;
};

class LeasesModelTest : public DatabaseTest {
protected:
    void replay(std::uint64_t seed, int steps) {
        fakes::SeededRandom dice(seed);
        for (int step = 0; step < steps && !HasFailure(); ++step) {
            act(dice);
            compare();
        }
    }

    void act(fakes::SeededRandom& dice) {
        switch (dice.uniform(10)) {
            case 0:
            case 1:
                submit();
                break;
            case 2:
            case 3:
            case 4:
                claim("w" + std::to_string(dice.uniform(3)));
                break;
            case 5:
                clock.advance(seconds{static_cast<std::int64_t>(dice.uniform(45))});
                break;
            case 6:
                end(dice);
                break;
            case 7:
                cancel(dice);
                break;
            case 8:
                renew(dice);
                break;
            case 9:
                expire();
                break;
        }
    }

    void submit() {
        const JobId job_id = add_job();
        model_.submit(job_id.text(), clock.now());
        known_.push_back(job_id);
        clock.advance(microseconds{1});
    }
    void claim(const std::string& worker) {
        const auto leases = write([&](db::Tx& tx) -> Result<std::vector<Lease>> {
                                if (auto expired = leases_.expire(tx); !expired) {
                                    return expired.error();
                                }
                                return leases_.claim(tx, {.worker_id = worker});
                            }).value();
        const auto expected = model_.claim(worker, clock.now());
        ASSERT_EQ(leases.size(), expected ? 1U : 0U);
        if (expected) {
            ASSERT_EQ(leases[0].ref.job_id.text(), *expected);
            ASSERT_EQ(leases[0].ref.fence, model_.jobs().at(*expected).fence);
            granted_.push_back(leases[0].ref);
        }
    }
    void expire() {
        ASSERT_TRUE(write([&](db::Tx& tx) { return leases_.expire(tx); }));
        model_.expire(clock.now());
    }
    /// Any lease ever granted may come back, also one lost long ago.
    const LeaseRef* any_lease(fakes::SeededRandom& dice) {
        return granted_.empty() ? nullptr : &granted_[dice.uniform(granted_.size())];
    }
    void renew(fakes::SeededRandom& dice) {
        if (const LeaseRef* lease = any_lease(dice)) {
            const bool held = model_.holds(*lease, clock.now());
            ASSERT_EQ(
                write([&](db::Tx& tx) { return leases_.renew(tx, *lease, true); }).has_value(), held
            );
            if (held) {
                model_.renew(*lease, clock.now());
            }
        }
    }
    void end(fakes::SeededRandom& dice) {
        const LeaseRef* lease = any_lease(dice);
        if (lease == nullptr) {
            return;
        }
        const bool held = model_.holds(*lease, clock.now());
        const Failure failure{
            .retryable = dice.uniform(2) == 0,
            .cancelled = dice.uniform(8) == 0,
            .backoff = kBackoff
        };
        const auto how = dice.uniform(4);
        const bool accepted = write([&](db::Tx& tx) -> Result<EndedLease> {
                                  switch (how) {
                                      case 0:
                                          return leases_.fail(tx, *lease, failure);
                                      case 1:
                                          return leases_.hand_back(tx, *lease);
                                      default:
                                          return leases_.complete(tx, *lease);
                                  }
                              }).has_value();
        ASSERT_EQ(accepted, held);
        if (held && how == 0) {
            model_.fail(*lease, failure, clock.now());
        } else if (held && how == 1) {
            model_.hand_back(*lease);
        } else if (held) {
            model_.complete(*lease);
        }
    }
    void cancel(fakes::SeededRandom& dice) {
        if (!known_.empty()) {
            const JobId& job_id = known_[dice.uniform(known_.size())];
            ASSERT_TRUE(write([&](db::Tx& tx) { return job_store::cancel(tx, job_id, "prj_a"); }));
            model_.cancel(job_id.text());
        }
    }

    void compare() {
        const auto rows =
            database
                ->read([](db::Tx& tx) {
                    return tx.query(
                        {"all",
                         "SELECT id, state, fence, failures, losses, cancel_requested FROM job",
                         ""}
                    );
                })
                .value();
        ASSERT_EQ(rows.size(), model_.jobs().size());
        for (const db::Row& row : rows) {
            const Model::Entry& expected = model_.jobs().at(row.text("id"));
            ASSERT_EQ(row.text("state"), expected.state) << row.text("id");
            ASSERT_EQ(row.int64("fence"), expected.fence);
            ASSERT_EQ(row.int64("failures"), expected.failures);
            ASSERT_EQ(row.int64("losses"), expected.losses);
        }
    }

    Leases leases_{LeaseOptions{.lease = kLease}};
    Model model_;
    std::vector<JobId> known_;
    std::vector<LeaseRef> granted_;
};

class LeasesModelSeedTest : public LeasesModelTest,
                            public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(LeasesModelSeedTest, TheDatabaseDoesWhatTheModelDoes) {
    SCOPED_TRACE(fmt::format("seed {}", GetParam()));
    replay(GetParam(), 150);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LeasesModelSeedTest, ::testing::ValuesIn(fakes::seeds(1, 8)));

class LeasesModelSlow : public LeasesModelTest,
                        public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(LeasesModelSlow, TheDatabaseDoesWhatTheModelDoes) {
    SCOPED_TRACE(fmt::format("seed {}", GetParam()));
    replay(GetParam(), 1000);
}

INSTANTIATE_TEST_SUITE_P(SeedsSlow, LeasesModelSlow, ::testing::Range<std::uint64_t>(100, 130));

}  // namespace
}  // namespace nexa::orchestration
