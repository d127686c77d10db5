// SPDX-License-Identifier: Apache-2.0
//
// Replays random histories of the queue on the database and on a small model in memory, and
// compares them after every step: submissions, some of them twice, several workers, leases that end
// unnoticed, results and reports of any lease ever granted, cancellations, gateways and restarts.
// The seed of a failing history is in the failure's message; NEXA_SIM_SEEDS=SEED:1 repeats it.

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "fakes/seeds.h"
#include "orchestration/activations.h"
#include "orchestration/database_test_internal.h"
#include "orchestration/leases.h"

namespace nexa::orchestration {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr seconds kLease{60};
constexpr seconds kBackoff{7};
constexpr seconds kActivation{40};
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
        Timestamp activate_until;
        std::string worker;
        std::int64_t fence = 0;
        int failures = 0;
        int losses = 0;
        bool cancel_requested = false;
        std::map<std::int64_t, std::int64_t> events_taken;  ///< by fence
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
    /// How many of `count` events from number `first` on were here before.
    std::int64_t take_events(const LeaseRef& lease, std::int64_t first, std::int64_t count) {
        std::int64_t& taken = jobs_[lease.job_id.text()].events_taken[lease.fence];
        std::int64_t known = 0;
        for (std::int64_t number = first; number < first + count; ++number) {
            known += number <= taken ? 1 : 0;
        }
        taken = std::max(taken, first + count - 1);
        return known;
    }
    void complete(const LeaseRef& lease) { jobs_[lease.job_id.text()].state = "done"; }
    void begin_activation(const LeaseRef& lease, Timestamp now) {
        Entry& job = jobs_[lease.job_id.text()];
        job.state = job.cancel_requested ? "cancelled" : "activating";
        job.activate_until = now + kActivation;
    }
    bool activate(const std::string& id, Timestamp now) {
        Entry& job = jobs_[id];
        const bool waits = job.state == "activating" && job.activate_until > now;
        job.state = waits ? "done" : job.state;
        return waits;
    }
    bool fail_activation(const std::string& id) {
        Entry& job = jobs_[id];
        const bool waits = job.state == "activating";
        job.state = waits ? "dead" : job.state;
        return waits;
    }
    std::size_t expire_activations(Timestamp now) {
        std::size_t ended = 0;
        for (auto& [id, job] : jobs_) {
            if (job.state == "activating" && job.activate_until <= now) {
                job.state = "dead";
                ++ended;
            }
        }
        return ended;
    }
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
        if (job.state == "ready" || job.state == "scheduled" || job.state == "activating") {
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

using History = std::tuple<fakes::DatabaseKind, std::uint64_t>;  ///< on which, and the seed

class LeasesModelTest : public DatabaseFixture, public ::testing::WithParamInterface<History> {
protected:
    fakes::DatabaseKind kind() const override { return std::get<0>(GetParam()); }

    void play(int steps) {
        const std::uint64_t seed = std::get<1>(GetParam());
        SCOPED_TRACE(fmt::format("seed {}", seed));
        fakes::SeededRandom dice(seed);
        for (int step = 0; step < steps && !HasFailure(); ++step) {
            act(dice);
            compare();
        }
    }

    void act(fakes::SeededRandom& dice) {
        switch (dice.uniform(15)) {
            case 0:
            case 1:
                submit(dice);
                break;
            case 2:
            case 3:
            case 4:
                claim("w" + std::to_string(dice.uniform(3)), 1 + static_cast<int>(dice.uniform(2)));
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
            case 10:
                settle(dice);
                break;
            case 11:
                expire_activations();
                break;
            case 12:
            case 13:
                report(dice);
                break;
            case 14:
                stop_in_the_middle(dice);
                break;
        }
    }

    /// Each has an idempotency key; one in four is the repetition of an earlier one, and one in
    /// eight comes with a used key and another request.
    void submit(fakes::SeededRandom& dice) {
        const auto kind = known_.empty() ? 7 : dice.uniform(8);
        const std::size_t number = kind <= 2 ? dice.uniform(known_.size()) : known_.size();
        const NewJob job{
            .job_id = ids.make<JobId>(),
            .tenant_id = "prj_a",
            .user_id = "usr_1",
            .key_id = "key_1",
            .job_type = "echo",
            .payload = {"{}"},
            .idempotency_key = fmt::format("key {}", number),
            .request_sha256 = fmt::format("request {}", kind == 2 ? -1 : static_cast<int>(number)),
        };
        const auto submitted = write([&](db::Tx& tx) { return job_store::submit(tx, job); });
        ASSERT_EQ(submitted.has_value(), kind != 2);
        if (kind < 2) {
            ASSERT_FALSE(submitted->created);
            ASSERT_EQ(submitted->job_id, known_[number]);
        } else if (kind > 2) {
            ASSERT_TRUE(submitted->created);
            model_.submit(job.job_id.text(), clock.now());
            known_.push_back(job.job_id);
        }
        clock.advance(microseconds{1});
    }
    Result<std::vector<Lease>> claim_in(db::Tx& tx, const std::string& worker, int slots) {
        if (auto expired = leases_.expire(tx); !expired) {
            return expired.error();
        }
        return leases_.claim(tx, {.worker_id = worker, .slots = slots});
    }
    void claim(const std::string& worker, int slots) {
        const auto leases = write([&](db::Tx& tx) { return claim_in(tx, worker, slots); }).value();
        for (std::size_t i = 0; i < static_cast<std::size_t>(slots); ++i) {
            const auto expected = model_.claim(worker, clock.now());
            ASSERT_EQ(i < leases.size(), expected.has_value());
            if (expected) {
                ASSERT_EQ(leases[i].ref.job_id.text(), *expected);
                ASSERT_EQ(leases[i].ref.fence, model_.jobs().at(*expected).fence);
                granted_.push_back(leases[i].ref);
            }
        }
    }
    /// The program ends before a grant is committed: nobody has it, and what was committed is
    /// there.
    void stop_in_the_middle(fakes::SeededRandom& dice) {
        const std::string worker = "w" + std::to_string(dice.uniform(3));
        const Status undone = write([&](db::Tx& tx) -> Status {
            EXPECT_TRUE(claim_in(tx, worker, 1));
            return Error::unavailable("the program ended");
        });
        ASSERT_FALSE(undone);
        restart();
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
    /// A report with events, some of which came with an earlier one whose answer was lost.
    void report(fakes::SeededRandom& dice) {
        const LeaseRef* lease = any_lease(dice);
        if (lease == nullptr) {
            return;
        }
        std::int64_t& sent = sent_[{lease->job_id.text(), lease->fence}];
        const auto first =
            1 + static_cast<std::int64_t>(dice.uniform(static_cast<std::uint64_t>(sent) + 1));
        const auto count = static_cast<std::int64_t>(dice.uniform(6));
        const bool held = model_.holds(*lease, clock.now());
        const auto known = write([&](db::Tx& tx) -> Result<std::int64_t> {
            if (const auto renewed = leases_.renew(tx, *lease, count > 0); !renewed) {
                return renewed.error();
            }
            return leases_.take_events(tx, *lease, first, count);
        });
        ASSERT_EQ(known.has_value(), held);
        if (held) {
            sent = std::max(sent, first + count - 1);
            model_.renew(*lease, clock.now());
            ASSERT_EQ(*known, model_.take_events(*lease, first, count));
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
        const auto how = dice.uniform(5);
        const bool accepted = write([&](db::Tx& tx) -> Result<EndedLease> {
                                  switch (how) {
                                      case 0:
                                          return leases_.fail(tx, *lease, failure);
                                      case 1:
                                          return leases_.hand_back(tx, *lease);
                                      case 2:
                                      case 3:
                                          return activations_.begin(tx, *lease);
                                      default:
                                          return leases_.complete(tx, *lease);
                                  }
                              }).has_value();
        ASSERT_EQ(accepted, held);
        if (held && how == 0) {
            model_.fail(*lease, failure, clock.now());
        } else if (held && how == 1) {
            model_.hand_back(*lease);
        } else if (held && how <= 3) {
            model_.begin_activation(*lease, clock.now());
        } else if (held) {
            model_.complete(*lease);
        }
    }
    /// A gateway's word about any job, also one that waits for none.
    void settle(fakes::SeededRandom& dice) {
        if (known_.empty()) {
            return;
        }
        const JobId& job_id = known_[dice.uniform(known_.size())];
        const bool serves = dice.uniform(3) != 0;
        const bool changed =
            write([&](db::Tx& tx) {
                return serves ? activations_.complete(tx, job_id) : activations_.fail(tx, job_id);
            }).value();
        ASSERT_EQ(
            changed,
            serves ? model_.activate(job_id.text(), clock.now())
                   : model_.fail_activation(job_id.text())
        );
    }
    void expire_activations() {
        const auto ended = write([&](db::Tx& tx) { return activations_.expire(tx); }).value();
        ASSERT_EQ(ended.size(), model_.expire_activations(clock.now()));
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
                    return tx.query(statement(
                        "SELECT id, state, fence, failures, losses, lease_worker, lease_until "
                        "FROM job"
                    ));
                })
                .value();
        ASSERT_EQ(rows.size(), model_.jobs().size());
        for (const db::Row& row : rows) {
            const Model::Entry& expected = model_.jobs().at(row.text("id"));
            ASSERT_EQ(row.text("state"), expected.state) << row.text("id");
            ASSERT_EQ(row.int64("fence"), expected.fence);
            ASSERT_EQ(row.int64("failures"), expected.failures);
            ASSERT_EQ(row.int64("losses"), expected.losses);
            if (expected.state == "leased") {
                ASSERT_EQ(row.text("lease_worker"), expected.worker);
                ASSERT_EQ(row.timestamp("lease_until"), expected.lease_until);
            }
        }
    }

    Leases leases_{LeaseOptions{.lease = kLease}};
    Activations activations_{ActivationOptions{.time = kActivation}};
    Model model_;
    std::vector<JobId> known_;  ///< the n-th was submitted with key n
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> sent_;  ///< by job and fence
    std::vector<LeaseRef> granted_;
};

const auto kBothDatabases =
    ::testing::Values(fakes::DatabaseKind::kSqlite, fakes::DatabaseKind::kPostgres);

class LeasesModelSeedTest : public LeasesModelTest {};

TEST_P(LeasesModelSeedTest, TheDatabaseDoesWhatTheModelDoes) {
    play(150);
}

INSTANTIATE_TEST_SUITE_P(
    Seeds,
    LeasesModelSeedTest,
    ::testing::Combine(kBothDatabases, ::testing::ValuesIn(fakes::seeds(1, 8)))
);

class LeasesModelSlow : public LeasesModelTest {};

TEST_P(LeasesModelSlow, TheDatabaseDoesWhatTheModelDoes) {
    play(1000);
}

INSTANTIATE_TEST_SUITE_P(
    SeedsSlow,
    LeasesModelSlow,
    ::testing::Combine(kBothDatabases, ::testing::Range<std::uint64_t>(100, 130))
);

}  // namespace
}  // namespace nexa::orchestration
