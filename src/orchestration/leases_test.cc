// SPDX-License-Identifier: Apache-2.0
#include "orchestration/leases.h"

#include <map>
#include <set>

#include "orchestration/database_test_internal.h"

namespace nexa::orchestration {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kLease{60};

class LeasesTest : public DatabaseTest {
protected:
    std::vector<Lease> claim_many(const std::string& worker_id, int slots) {
        auto leases = write([&](db::Tx& tx) -> Result<std::vector<Lease>> {
            auto expired = leases_.expire(tx);
            if (!expired) {
                return expired.error();
            }
            return leases_.claim(tx, {.worker_id = worker_id, .slots = slots});
        });
        EXPECT_TRUE(leases) << leases.error().to_string();
        return *std::move(leases);
    }
    LeaseRef claim(const std::string& worker_id) {
        auto leases = claim_many(worker_id, 1);
        EXPECT_EQ(leases.size(), 1U);
        return leases.empty() ? LeaseRef{} : leases.front().ref;
    }
    bool nothing_to_claim() { return claim_many("w9", 10).empty(); }
    Result<EndedLease> complete(const LeaseRef& lease) {
        return write([&](db::Tx& tx) { return leases_.complete(tx, lease); });
    }
    Result<Renewal> renew(const LeaseRef& lease, bool started = false) {
        return write([&](db::Tx& tx) { return leases_.renew(tx, lease, started); });
    }
    Result<EndedLease> fail(const LeaseRef& lease, const Failure& failure) {
        return write([&](db::Tx& tx) { return leases_.fail(tx, lease, failure); });
    }
    Result<Job> cancel(const JobId& job_id) {
        return write([&](db::Tx& tx) { return job_store::cancel(tx, job_id, "prj_a"); });
    }

    Leases leases_{LeaseOptions{.lease = kLease}};
};

TEST_P(LeasesTest, AClaimedJobIsNobodyElses) {
    add_job();
    claim("w1");
    EXPECT_TRUE(nothing_to_claim());
}

TEST_P(LeasesTest, ALeaseEndsAtItsMomentAndNotBefore) {
    const JobId job_id = add_job();
    claim("w1");
    clock.advance(kLease - microseconds{1});
    EXPECT_TRUE(nothing_to_claim());
    clock.advance(microseconds{1});
    EXPECT_EQ(claim("w2").job_id, job_id);
}

TEST_P(LeasesTest, LateResultOfALostLeaseIsRefusedAndTheNewOwnersIsTaken) {
    const JobId job_id = add_job();
    const LeaseRef first = claim("w1");

    clock.advance(kLease);  // 60 s: expired exactly now
    const LeaseRef second = claim("w2");
    EXPECT_EQ(second.job_id, job_id);
    EXPECT_GT(second.fence, first.fence);

    EXPECT_EQ(complete(first).error().code, ErrorCode::kConflict);
    EXPECT_TRUE(complete(second));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kCompleted);
}

TEST_P(LeasesTest, AResultAfterTheEndIsRefusedEvenIfNobodyNoticedIt) {
    add_job();
    const LeaseRef lease = claim("w1");
    clock.advance(kLease);
    EXPECT_EQ(complete(lease).error().code, ErrorCode::kConflict);
    EXPECT_EQ(renew(lease).error().code, ErrorCode::kConflict);
}

TEST_P(LeasesTest, ASecondResultOfTheSameLeaseIsRefused) {
    add_job();
    const LeaseRef lease = claim("w1");
    EXPECT_TRUE(complete(lease));
    EXPECT_EQ(complete(lease).error().code, ErrorCode::kConflict);
}

TEST_P(LeasesTest, AnotherWorkerWithTheRightFenceIsRefused) {
    add_job();
    LeaseRef lease = claim("w1");
    lease.worker_id = "w2";
    EXPECT_EQ(complete(lease).error().code, ErrorCode::kConflict);
    EXPECT_EQ(renew(lease).error().code, ErrorCode::kConflict);
}

TEST_P(LeasesTest, RenewingProlongsFromNow) {
    add_job();
    const LeaseRef lease = claim("w1");
    clock.advance(kLease / 2);
    EXPECT_EQ(renew(lease)->until, clock.now() + kLease);
    clock.advance(kLease - seconds{1});
    EXPECT_TRUE(complete(lease));
}

TEST_P(LeasesTest, TheEnginesFirstEventMakesTheJobRunning) {
    const JobId job_id = add_job();
    const LeaseRef lease = claim("w1");
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kAssigned);
    ASSERT_TRUE(renew(lease, false));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kAssigned);
    ASSERT_TRUE(renew(lease, true));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kRunning);
    clock.advance(kLease);
    ASSERT_EQ(claim("w2").job_id, job_id);
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kAssigned);
}

TEST_P(LeasesTest, EventsThatAreSentAgainAreTakenOnce) {
    add_job();
    const LeaseRef lease = claim("w1");
    const auto take = [&](std::int64_t first, std::int64_t count) {
        return write([&](db::Tx& tx) { return leases_.take_events(tx, lease, first, count); }
        ).value();
    };
    EXPECT_EQ(take(1, 3), 0);
    EXPECT_EQ(take(1, 3), 3);
    EXPECT_EQ(take(1, 5), 3);
    EXPECT_EQ(take(6, 1), 0);
    EXPECT_EQ(take(9, 2), 0) << "what the server refused is not sent again";
    EXPECT_EQ(take(10, 2), 1);
    EXPECT_EQ(take(0, 4), 0) << "an older worker does not number them";
    EXPECT_EQ(take(12, 0), 0);
}

TEST_P(LeasesTest, EventsOfANewLeaseAreCountedFromOneAgain) {
    add_job();
    const LeaseRef first = claim("w1");
    const auto take = [&](const LeaseRef& lease) {
        return write([&](db::Tx& tx) { return leases_.take_events(tx, lease, 1, 2); }).value();
    };
    EXPECT_EQ(take(first), 0);
    clock.advance(kLease);
    EXPECT_EQ(take(claim("w2")), 0);
}

TEST_P(LeasesTest, ALostWorkerIsNoErrorOfTheJobAndCostsNoBackoff) {
    const JobId job_id = add_job();
    claim("w1");
    clock.advance(kLease);
    claim("w2");
    EXPECT_EQ(job(job_id).failures, 0);
    EXPECT_EQ(job(job_id).losses, 1);
}

TEST_P(LeasesTest, AJobThatLosesWorkerAfterWorkerEndsAsFailed) {
    const JobId job_id = add_job();
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(claim("w" + std::to_string(i)).job_id, job_id) << i;
        clock.advance(kLease);
    }
    EXPECT_TRUE(nothing_to_claim());
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kFailed);
}

TEST_P(LeasesTest, ARetryableErrorRunsAgainAfterTheBackoff) {
    const JobId job_id = add_job();
    ASSERT_TRUE(fail(claim("w1"), {.retryable = true, .backoff = seconds{5}}));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kPending);
    clock.advance(seconds{5} - microseconds{1});
    EXPECT_TRUE(nothing_to_claim());
    clock.advance(microseconds{1});
    EXPECT_EQ(claim("w2").job_id, job_id);
}

TEST_P(LeasesTest, TheLastAllowedErrorEndsTheJob) {
    const JobId job_id = add_job();
    for (int attempt = 1; attempt <= 3; ++attempt) {
        ASSERT_TRUE(fail(claim("w1"), {.retryable = true})) << attempt;
    }
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kFailed);
    EXPECT_EQ(job(job_id).attempt, 3);
    EXPECT_TRUE(nothing_to_claim());
}

TEST_P(LeasesTest, AnErrorThatNoRetryHelpsEndsTheJobAtOnce) {
    const JobId job_id = add_job();
    ASSERT_TRUE(fail(claim("w1"), {.retryable = false}));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kFailed);
}

TEST_P(LeasesTest, AJobGivenBackIsClaimableAtOnceAndUnharmed) {
    const JobId job_id = add_job();
    const LeaseRef lease = claim("w1");
    ASSERT_TRUE(write([&](db::Tx& tx) { return leases_.hand_back(tx, lease); }));
    EXPECT_EQ(claim("w2").job_id, job_id);
    EXPECT_EQ(job(job_id).failures + job(job_id).losses, 0);
    EXPECT_EQ(complete(lease).error().code, ErrorCode::kConflict);
}

TEST_P(LeasesTest, TheJobsOfARemovedWorkerAreClaimableAtOnceAndThoseOfOthersStay) {
    const JobId first = add_job();
    const LeaseRef lost = claim("w1");
    const JobId kept = add_job();
    const LeaseRef held = claim("w2");
    const auto taken = write([&](db::Tx& tx) { return Leases::take_from(tx, "w1"); });
    ASSERT_TRUE(taken);
    ASSERT_EQ(taken->size(), 1U);
    EXPECT_EQ(taken->front().job_id, first);
    EXPECT_EQ(complete(lost).error().code, ErrorCode::kConflict);
    EXPECT_EQ(claim("w3").job_id, first);
    EXPECT_EQ(job(first).failures + job(first).losses, 0);
    EXPECT_TRUE(complete(held));
    EXPECT_EQ(job(kept).status, protocol::JobStatus::kCompleted);
}

TEST_P(LeasesTest, CancellingAJobNobodyHoldsEndsIt) {
    const JobId job_id = add_job();
    ASSERT_TRUE(cancel(job_id));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kCancelled);
    EXPECT_TRUE(nothing_to_claim());
}

TEST_P(LeasesTest, CancellingARunningJobIsToldWithTheNextRenewal) {
    const JobId job_id = add_job();
    const LeaseRef lease = claim("w1");
    EXPECT_FALSE(renew(lease)->cancel_requested);
    ASSERT_TRUE(cancel(job_id));
    EXPECT_TRUE(renew(lease)->cancel_requested);
    ASSERT_TRUE(fail(lease, {.cancelled = true}));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kCancelled);
}

TEST_P(LeasesTest, AJobThatFinishesDespiteACancelIsCompleted) {
    const JobId job_id = add_job();
    const LeaseRef lease = claim("w1");
    ASSERT_TRUE(cancel(job_id));
    EXPECT_TRUE(complete(lease));
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kCompleted);
}

TEST_P(LeasesTest, ACancelledJobOfALostWorkerDoesNotRunAgain) {
    const JobId job_id = add_job();
    claim("w1");
    ASSERT_TRUE(cancel(job_id));
    clock.advance(kLease);
    EXPECT_TRUE(nothing_to_claim());
    EXPECT_EQ(job(job_id).status, protocol::JobStatus::kCancelled);
}

TEST_P(LeasesTest, LowerPriorityNumbersRunFirstAndWaitingAgesAJob) {
    const JobId low = add_job("prj_a", 1);
    clock.advance(minutes{9});
    const JobId normal = add_job("prj_a", 0);
    const LeaseRef first = claim("w1");
    EXPECT_EQ(first.job_id, normal);
    ASSERT_TRUE(complete(first));
    clock.advance(minutes{2});
    add_job("prj_a", 0);  // 11 minutes younger than the low one: a step is worth ten
    EXPECT_EQ(claim("w1").job_id, low);
}

TEST_P(LeasesTest, TenantsShareByWeightHoweverMuchOneFloods) {
    for (int i = 0; i < 60; ++i) {
        add_job("prj_a");
        add_job("prj_c");
    }
    for (int i = 0; i < 5; ++i) {
        add_job("prj_b");
    }
    ASSERT_TRUE(write([&](db::Tx& tx) {
        return tx.execute(statement("UPDATE tenant SET weight = 3 WHERE id = 'prj_c'"));
    }));
    std::map<std::string, int> granted;
    for (const Lease& lease : claim_many("w1", 40)) {
        ++granted[lease.tenant_id];
    }
    EXPECT_EQ(granted, (std::map<std::string, int>{{"prj_a", 9}, {"prj_b", 5}, {"prj_c", 26}}));
}

TEST_P(LeasesTest, UsageOfTheLastHoursIsRemembered) {
    for (int i = 0; i < 4; ++i) {
        add_job("prj_a");
    }
    claim_many("w1", 4);
    add_job("prj_a");
    const JobId fresh = add_job("prj_b");
    EXPECT_EQ(claim("w1").job_id, fresh);
}

TEST_P(LeasesTest, ATenantAtItsLimitGetsNoMore) {
    for (int i = 0; i < 5; ++i) {
        add_job("prj_a");
    }
    ASSERT_TRUE(write([&](db::Tx& tx) {
        return tx.execute(statement("UPDATE tenant SET max_running = 2"));
    }));
    EXPECT_EQ(claim_many("w1", 5).size(), 2U);
    EXPECT_TRUE(nothing_to_claim());
}

TEST_P(LeasesTest, AWorkerGetsOnlyWhatFitsIt) {
    const JobId job_id = ids.make<JobId>();
    ASSERT_TRUE(write([&](db::Tx& tx) {
        return job_store::submit(
            tx,
            {
                .job_id = job_id,
                .tenant_id = "prj_a",
                .user_id = "u",
                .key_id = "k",
                .job_type = "echo",
                .payload = {"{}"},
                .pool = "gpu",
                .gpus = 2,
                .memory_bytes = 100,
            }
        );
    }));
    const auto offered = [&](const WorkerOffer& offer) {
        return write([&](db::Tx& tx) { return leases_.claim(tx, offer); })->size();
    };
    EXPECT_EQ(offered({.worker_id = "w", .pool = "default", .gpus = 8, .memory_bytes = 1000}), 0U);
    EXPECT_EQ(offered({.worker_id = "w", .pool = "gpu", .gpus = 1, .memory_bytes = 1000}), 0U);
    EXPECT_EQ(offered({.worker_id = "w", .pool = "gpu", .gpus = 2, .memory_bytes = 99}), 0U);
    EXPECT_EQ(offered({.worker_id = "w", .pool = "gpu", .gpus = 2, .memory_bytes = 100}), 1U);
}

TEST_P(LeasesTest, EveryAttemptLeavesARowThatSaysHowItEnded) {
    add_job();
    claim("w1");
    clock.advance(kLease);
    complete(claim("w2")).value();
    const auto rows =
        database
            ->read([](db::Tx& tx) {
                return tx.query(statement("SELECT worker_id, outcome FROM lease ORDER BY fence"));
            })
            .value();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].text("outcome"), "lost");
    EXPECT_EQ(rows[1].text("outcome"), "completed");
}

/// PostgreSQL plans anew, by what is in the tables.
class ClaimPlanTest : public DatabaseFixture {
protected:
    fakes::DatabaseKind kind() const override { return fakes::DatabaseKind::kSqlite; }
};

TEST_F(ClaimPlanTest, AClaimTouchesFewRowsHoweverLongTheQueue) {
    add_job();
    const auto plan = database
                          ->read([](db::Tx& tx) {
                              const std::string text =
                                  "EXPLAIN QUERY PLAN " + std::string(sql::kClaim.sqlite);
                              const db::Sql explain{"explain", text, ""};
                              return tx.query(
                                  explain,
                                  {
                                      {"pool", "default"},
                                      {"slots", 1},
                                      {"gpus", 0},
                                      {"memory_bytes", 0},
                                      {"worker_id", "w"},
                                      {"lease_us", 1},
                                  }
                              );
                          })
                          .value();
    for (const db::Row& row : plan) {
        EXPECT_EQ(row.text("detail").find("SCAN job"), std::string::npos) << row.text("detail");
    }
}

class IdempotencyTest : public DatabaseTest {
protected:
    Result<Submitted> submit(const std::string& key, const std::string& request) {
        return write([&](db::Tx& tx) {
            return job_store::submit(
                tx,
                {
                    .job_id = ids.make<JobId>(),
                    .tenant_id = "prj_a",
                    .user_id = "u",
                    .key_id = "k",
                    .job_type = "echo",
                    .payload = {"{}"},
                    .idempotency_key = key,
                    .request_sha256 = request,
                }
            );
        });
    }
};

TEST_P(IdempotencyTest, TheSameKeyIsTheSameJob) {
    const auto first = submit("k1", "r1");
    const auto second = submit("k1", "r1");
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(first->created);
    EXPECT_FALSE(second->created);
    EXPECT_EQ(first->job_id, second->job_id);
    EXPECT_NE(submit("k2", "r1")->job_id, first->job_id);
}

TEST_P(IdempotencyTest, TheSameKeyWithAnotherRequestIsRefused) {
    ASSERT_TRUE(submit("k1", "r1"));
    EXPECT_EQ(submit("k1", "r2").error().code, ErrorCode::kInvalidArgument);
}

NEXA_ON_BOTH_DATABASES(LeasesTest);
NEXA_ON_BOTH_DATABASES(IdempotencyTest);

}  // namespace
}  // namespace nexa::orchestration
