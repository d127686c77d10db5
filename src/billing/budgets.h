// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "billing/money.h"
#include "billing/period.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/billing_views.h"

namespace nexa::billing {

/// What a project, or one of its keys (then `key_id` is not empty), may spend in a calendar month.
struct Budget {
    std::string tenant_id;
    std::string key_id;
    MicroUsd amount;
    std::vector<int> alert_percents;
    bool hard_stop = false;
};

/// A budget's alert that is given now, and never again in this month.
struct BudgetAlert {
    std::string key_id;  ///< empty: the project's budget
    int percent = 0;
    std::string month;
    MicroUsd spent;
    MicroUsd amount;
};

/// Budgets and what was spent of them. A project's counts storage and deployments up to now, a
/// key's only what was charged. Every call is inside a transaction.
namespace budgets {

Status put(db::Tx& tx, const Budget& budget);
/// Errors: kNotFound.
Status remove(db::Tx& tx, const std::string& tenant_id, const std::string& key_id);
Result<std::vector<protocol::BudgetView>> list(db::Tx& tx, const std::string& tenant_id);

/// After a charge: which alerts of the project's and the key's budgets that is the moment for.
/// Marks them as given.
Result<std::vector<BudgetAlert>> take_alerts(
    db::Tx& tx, const std::string& tenant_id, const std::string& key_id
);
/// Whether new work is accepted. Errors: kResourceExhausted at "budget" (a budget with a hard stop
/// is spent; the hint says until when).
Status admit(db::Tx& tx, const std::string& tenant_id, const std::string& key_id);

}  // namespace budgets

}  // namespace nexa::billing
