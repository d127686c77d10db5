// SPDX-License-Identifier: Apache-2.0
#include "billing/budgets.h"

#include <algorithm>

#include <fmt/format.h>

#include "billing/billing_sql.h"
#include "billing/usage_store.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::billing::budgets {

namespace {

struct Standing {
    Budget budget;
    MicroUsd spent;
    bool is_spent() const { return spent >= budget.amount; }
};

/// What storage and deployments cost in the month so far: in no sum, since it grows by itself.
Result<MicroUsd> accrued_in(db::Tx& tx, const std::string& tenant_id, const Period& month) {
    TRY(const auto sums, usage_store::accrued(tx, {.tenant_id = tenant_id}, month));
    MicroUsd total;
    for (const usage_store::Accrued& sum : sums) {
        total += sum.cost;
    }
    return total;
}

/// The project's and, with a key, the key's: or those of all keys.
Result<std::vector<Standing>> standings(
    db::Tx& tx, const std::string& tenant_id, const std::optional<std::string>& key_id
) {
    const Period month = month_of(tx.now());
    TRY(const auto rows,
        tx.query(
            sql::kListBudgets, {{"tenant_id", tenant_id}, {"key_id", key_id}, {"month", month.from}}
        ));
    std::vector<Standing> found;
    for (const db::Row& row : rows) {
        TRY(auto percents, from_json<std::vector<int>>(row.text("alert_percents")));
        Standing standing{
            .budget =
                {
                    .tenant_id = tenant_id,
                    .key_id = row.text("key_id"),
                    .amount = MicroUsd(row.int64("amount_microusd")),
                    .alert_percents = std::move(percents),
                    .hard_stop = row.boolean("hard_stop"),
                },
            .spent = MicroUsd(row.int64("spent_microusd")),
        };
        if (standing.budget.key_id.empty()) {
            TRY(const MicroUsd accrued, accrued_in(tx, tenant_id, month));
            standing.spent += accrued;
        }
        found.push_back(std::move(standing));
    }
    return found;
}

double percent_of(const Standing& standing) {
    constexpr double kWhole = 100;
    return kWhole * static_cast<double>(standing.spent.value()) /
           static_cast<double>(standing.budget.amount.value());
}

Result<std::vector<int>> alerts_sent(db::Tx& tx, const Budget& budget, const Period& month) {
    TRY(const auto rows,
        tx.query(
            sql::kListBudgetAlerts,
            {{"tenant_id", budget.tenant_id}, {"key_id", budget.key_id}, {"month", month.from}}
        ));
    std::vector<int> sent;
    for (const db::Row& row : rows) {
        sent.push_back(static_cast<int>(row.int64("percent")));
    }
    return sent;
}

}  // namespace

Status put(db::Tx& tx, const Budget& budget) {
    std::vector<int> percents = budget.alert_percents;
    std::ranges::sort(percents);
    const auto doubles = std::ranges::unique(percents);
    percents.erase(doubles.begin(), doubles.end());
    TRY_STATUS(tx.execute(
        sql::kPutBudget,
        {
            {"tenant_id", budget.tenant_id},
            {"key_id", budget.key_id},
            {"amount_microusd", budget.amount},
            {"alert_percents", to_json(percents)},
            {"hard_stop", budget.hard_stop},
        }
    ));
    return {};
}

Status remove(db::Tx& tx, const std::string& tenant_id, const std::string& key_id) {
    TRY(const std::int64_t removed,
        tx.execute(sql::kDeleteBudget, {{"tenant_id", tenant_id}, {"key_id", key_id}}));
    if (removed == 0) {
        return Error::not_found("there is no such budget");
    }
    return {};
}

Result<std::vector<protocol::BudgetView>> list(db::Tx& tx, const std::string& tenant_id) {
    const Period month = month_of(tx.now());
    TRY(const auto all, standings(tx, tenant_id, std::nullopt));
    std::vector<protocol::BudgetView> views;
    for (const Standing& standing : all) {
        const Budget& budget = standing.budget;
        protocol::BudgetView view{
            .project_id = tenant_id,
            .key_id = budget.key_id.empty() ? std::nullopt : std::optional(budget.key_id),
            .monthly_amount = to_dollars(budget.amount),
            .alert_percents = budget.alert_percents,
            .hard_stop = budget.hard_stop,
            .month = month_name(month.from),
            .spent = to_dollars(standing.spent),
            .percent = percent_of(standing),
            .is_spent = standing.is_spent(),
            .resets_at = to_rfc3339(month.until),
        };
        TRY(view.alerts_sent, alerts_sent(tx, budget, month));
        views.push_back(std::move(view));
    }
    return views;
}

Result<std::vector<BudgetAlert>> take_alerts(
    db::Tx& tx, const std::string& tenant_id, const std::string& key_id
) {
    const Period month = month_of(tx.now());
    TRY(const auto found, standings(tx, tenant_id, key_id));
    std::vector<BudgetAlert> alerts;
    for (const Standing& standing : found) {
        for (const int percent : standing.budget.alert_percents) {
            if (percent_of(standing) < percent) {
                continue;
            }
            TRY(const std::int64_t added,
                tx.execute(
                    sql::kAddBudgetAlert,
                    {
                        {"tenant_id", tenant_id},
                        {"key_id", standing.budget.key_id},
                        {"month", month.from},
                        {"percent", percent},
                    }
                ));
            if (added == 1) {
                alerts.push_back({
                    .key_id = standing.budget.key_id,
                    .percent = percent,
                    .month = month_name(month.from),
                    .spent = standing.spent,
                    .amount = standing.budget.amount,
                });
            }
        }
    }
    return alerts;
}

Status admit(db::Tx& tx, const std::string& tenant_id, const std::string& key_id) {
    TRY(const auto found, standings(tx, tenant_id, key_id));
    for (const Standing& standing : found) {
        if (!standing.budget.hard_stop || !standing.is_spent()) {
            continue;
        }
        const Period month = month_of(tx.now());
        return Error::resource_exhausted(
                   "the {} budget for {} is spent: {} of {} dollars",
                   standing.budget.key_id.empty() ? "project's" : "key's",
                   month_name(month.from),
                   to_dollars(standing.spent),
                   to_dollars(standing.budget.amount)
        )
            .at("budget")
            .hint(fmt::format("raise the budget, or come back from {} on", to_rfc3339(month.until))
            );
    }
    return {};
}

}  // namespace nexa::billing::budgets
