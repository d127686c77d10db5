// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "billing/rate_card.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/job_store.h"
#include "protocol/engine.h"

namespace nexa::orchestration {

/// Writes down what a job that just completed used: usage rows and the ledger's outbox. Call it in
/// the transaction of that change of state, which happens once.
Status charge(
    db::Tx& tx, const billing::RateCard& rate_card, const Job& job, const protocol::Usage& usage
);

}  // namespace nexa::orchestration
