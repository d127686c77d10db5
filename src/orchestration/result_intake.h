// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "billing/rate_card.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/activations.h"
#include "orchestration/job_store.h"
#include "orchestration/leases.h"
#include "protocol/result_messages.h"

namespace nexa::orchestration {

/// A worker's result whose signature and files were found good.
struct CheckedResult {
    protocol::JobResult result;
    std::string envelope;                  ///< JSON, kept as evidence
    std::chrono::microseconds backoff{0};  ///< before another attempt, if it comes to that
};

/// What a result is judged by.
struct IntakeRules {
    const Leases& leases;
    const Activations& activations;
    const billing::RateCard& rate_card;
};

/// Writes down how an attempt ended, all in the caller's transaction: the job's state, its outcome,
/// artifacts, usage, the ledger's outbox and the events. A completed job is charged once, a failed
/// attempt never. A job that deploys is not complete with its result: it activates, and is charged
/// when a gateway serves (deploying.h). Errors: kConflict (the lease was lost: nothing changes).
/// `before`: the job as this transaction found it.
Result<EndedLease> take_in(
    db::Tx& tx, const IntakeRules& rules, const Job& before, const CheckedResult& checked
);
/// The same for a job that was not looked at before. Errors besides: kNotFound.
Result<EndedLease> take_in(db::Tx& tx, const IntakeRules& rules, const CheckedResult& checked);

/// Takes back the leases that ran out and makes ready what was scheduled for now, with the events
/// that say so. A job that lost too many workers ends with an error.
Result<std::vector<EndedLease>> take_back(db::Tx& tx, const Leases& leases);

/// Takes all jobs from a worker that was removed, with the events that say so.
Result<std::vector<EndedLease>> take_from(db::Tx& tx, const std::string& worker_id);

}  // namespace nexa::orchestration
