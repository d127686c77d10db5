// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "billing/rate_card.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/job_store.h"
#include "protocol/engine.h"

namespace nexa::orchestration {

/// Writes into the audit trail which alerts of budgets it is time for. Call it behind a charge, in
/// its transaction.
Status note_budget_alerts(db::Tx& tx, const std::string& tenant_id, const std::string& key_id);

/// Writes down what a job that just completed used: usage rows and the ledger's outbox. Call it in
/// the transaction of that change of state, which happens once.
Status charge(
    db::Tx& tx, const billing::RateCard& rate_card, const Job& job, const protocol::Usage& usage
);

}  // namespace nexa::orchestration
