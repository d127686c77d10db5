// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "db/tx.h"

namespace nexa::orchestration {

struct LeaseOptions {
    std::chrono::microseconds lease = std::chrono::seconds{60};  ///< renewed at a third of it
    int expire_batch = 500;  ///< jobs taken back in one statement
};

/// What a worker can take now.
struct WorkerOffer {
    std::string worker_id;
    std::string pool = "default";
    int slots = 1;
    int gpus = 0;
    std::int64_t memory_bytes = 0;
};

/// Names one grant of one job: what every later call of the worker carries.
struct LeaseRef {
    JobId job_id;
    std::string worker_id;
    std::int64_t fence = 0;
};

struct Lease {
    LeaseRef ref;
    std::string tenant_id;
    std::string job_type;
    int attempt = 0;
    Timestamp until;
};

struct Renewal {
    bool cancel_requested = false;
    Timestamp until;
};

/// How an attempt that did not complete ended.
struct Failure {
    bool retryable = false;  ///< the same job may succeed later
    bool cancelled = false;  ///< the worker stopped it because it was asked to
    std::chrono::microseconds backoff{0};
};

/// The job behind a lease that just ended.
struct EndedLease {
    JobId job_id;
    std::string tenant_id;
    std::string job_type;
    std::string state;  ///< done, activating, dead, cancelled, scheduled or ready
    std::int64_t fence = 0;
};

/// What a call gets whose lease is another's, or nobody's, by now.
Error lease_lost(const LeaseRef& lease);

/// Closes the lease whose job a guarded statement has just moved on. `row`: what that returned of
/// the job; without one the lease was lost, which is no error of ours. `outcome`: completed,
/// cancelled, returned, or empty: cancelled or failed, as the job's state says.
Result<EndedLease> close_lease(
    db::Tx& tx,
    const LeaseRef& lease,
    const std::optional<db::Row>& row,
    std::string_view outcome = {}
);

/// Grants, renews and ends leases on jobs. Each is one guarded SQL statement, so two coordinators
/// cannot both succeed.
///
/// Called only inside the writer's transaction. Does no other I/O. Time is the database's own:
/// PostgreSQL's now(); with SQLite nexa_now(), the clock that nexad injects, frozen at BEGIN.
/// Invariants: at most one unexpired lease per job; every grant has a higher fence than the last;
/// a lease ends at the moment `until`, whether or not anybody noticed.
class Leases {
public:
    explicit Leases(LeaseOptions options) : options_(options) {}

    /// Leases up to `offer.slots` ready jobs that fit `offer`, fairest tenant first; empty if none
    /// fits. Sorted by place in the queue. Call expire() before it, so that what ran out can be
    /// granted again.
    Result<std::vector<Lease>> claim(db::Tx& tx, const WorkerOffer& offer) const;

    /// Takes back what ran out (at most `expire_batch`) and makes ready what was scheduled for now.
    Result<std::vector<EndedLease>> expire(db::Tx& tx) const;

    /// Prolongs the lease. `started`: the engine has said something, so the job is running.
    /// Errors: kConflict if the lease is lost.
    Result<Renewal> renew(db::Tx& tx, const LeaseRef& lease, bool started) const;

    /// How many of the first of `count` events, numbered from `first` by the worker, were taken
    /// before; all of them count as taken from now on. 0 as `first`: not numbered, so none.
    Result<std::int64_t> take_events(
        db::Tx& tx, const LeaseRef& lease, std::int64_t first, std::int64_t count
    ) const;

    /// Ends the lease with an accepted result. Errors: kConflict if the lease was lost: the late
    /// result changes nothing.
    Result<EndedLease> complete(db::Tx& tx, const LeaseRef& lease) const;

    /// Ends the lease without one: the job runs again after the back-off, or is dead, or cancelled.
    /// Errors: kConflict.
    Result<EndedLease> fail(db::Tx& tx, const LeaseRef& lease, const Failure& failure) const;

    /// A draining worker gives the job back unharmed. Errors: kConflict.
    Result<EndedLease> hand_back(db::Tx& tx, const LeaseRef& lease) const;
    /// Ends all leases of a worker that was removed; its jobs go back to their places in the queue.
    static Result<std::vector<EndedLease>> take_from(db::Tx& tx, const std::string& worker_id);

    const LeaseOptions& options() const { return options_; }

private:
    LeaseOptions options_;
};

}  // namespace nexa::orchestration
