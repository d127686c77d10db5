// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "billing/money.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/job_store.h"
#include "protocol/job_views.h"

namespace nexa::orchestration {

/// A job as the API shows it.
protocol::JobView to_view(const Job& job, billing::MicroUsd cost);

/// The same, with its cost read in the same transaction.
Result<protocol::JobView> view_with_cost(db::Tx& tx, const Job& job);

}  // namespace nexa::orchestration
