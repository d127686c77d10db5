// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/leases.h"

namespace nexa::orchestration {

struct ActivationOptions {
    std::chrono::microseconds time = std::chrono::seconds{120};  ///< for a gateway to take it up
    int expire_batch = 500;                                      ///< jobs ended in one statement
};

/// The states of a job between its worker's result and a gateway that serves what it deployed: it
/// is held by nobody and ends at a moment, whether or not anybody noticed. Each change is one
/// guarded SQL statement.
///
/// Called only inside the writer's transaction. Time is the database's own, as for Leases.
/// Invariant: a job that activates is completed, failed or cancelled exactly once.
class Activations {
public:
    explicit Activations(ActivationOptions options) : options_(options) {}

    /// Ends the lease with an accepted result; the job waits for a gateway, or is cancelled if it
    /// was asked to stop. Errors: kConflict if the lease was lost: the late result changes nothing.
    Result<EndedLease> begin(db::Tx& tx, const LeaseRef& lease) const;

    /// A gateway serves: the job is done. False if it does not wait for that (any more), or its
    /// time is up: then nothing changes.
    Result<bool> complete(db::Tx& tx, const JobId& job_id) const;
    /// It cannot be served: the job is dead. False as above, but for the time.
    Result<bool> fail(db::Tx& tx, const JobId& job_id) const;

    /// Ends those whose time is up (at most `expire_batch`); they are dead.
    Result<std::vector<JobId>> expire(db::Tx& tx) const;

    /// Gives all that wait their full time again: once after a start, since no gateway could report
    /// while the server was away.
    Status prolong(db::Tx& tx) const;

    const ActivationOptions& options() const { return options_; }

private:
    ActivationOptions options_;
};

}  // namespace nexa::orchestration
