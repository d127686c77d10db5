// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "billing/rate_card.h"
#include "core/ids.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/activations.h"
#include "orchestration/job_store.h"
#include "protocol/engine.h"
#include "protocol/gateway_feed.h"
#include "protocol/result_messages.h"

namespace nexa::orchestration {

// How a deploy job goes on where others end: its result becomes a deployment that gateways are told
// of, and the job ends when one of them serves it, cannot, or none does in time. Each function runs
// in the caller's write transaction.

/// True for jobs whose result a gateway has to take up.
bool deploys(std::string_view job_type);

/// Looks at a submission: a region that is known, a model that is stored here, a name that is free.
/// `regions` are known besides those that gateways reported from. Errors: kInvalidArgument,
/// kConflict, each with the field.
Status check_deploy(db::Tx& tx, const NewJob& job, std::span<const std::string> regions);

/// Makes the deployment of a job that activates; its artifact is stored already. What comes back is
/// why it cannot: another took the name meanwhile; then the job is dead. Errors: kInvalidArgument
/// (the result is not that of such a job).
Result<std::optional<protocol::EngineError>> begin_deployment(
    db::Tx& tx, const Activations& activations, const Job& job, const protocol::JobResult& result
);

/// Takes in a gateway's report: of the jobs that wait for its region, those it serves are completed
/// and charged, those it cannot serve fail. Returns the ended ones.
Result<std::vector<JobId>> take_in_report(
    db::Tx& tx,
    const Activations& activations,
    const billing::RateCard& rate_card,
    const protocol::GatewayReport& report
);

/// Fails the jobs that no gateway took up in time, and withdraws what they deployed.
Result<std::vector<JobId>> end_overdue(db::Tx& tx, const Activations& activations);

}  // namespace nexa::orchestration
