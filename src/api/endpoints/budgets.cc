// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/budgets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "accounts/audit_store.h"
#include "api/authenticator.h"
#include "api/rows.h"
#include "billing/budgets.h"
#include "core/ids.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{
    .tag = "billing", .read_scope = "billing:read", .write_scope = "billing:write"
};

/// The key in the path; empty: the project's budget. Errors: kNotFound.
Result<std::string> key_of(const net::Call& call) {
    if (call.parameters.empty()) {
        return std::string();
    }
    const std::string& text = call.parameter("key_id");
    if (!KeyId::parse(text)) {
        return Error::not_found("there is no key {}", text).at("key_id");
    }
    return text;
}

Status note(
    db::Tx& tx,
    const accounts::Principal& by,
    const billing::Budget& budget,
    std::string_view action
) {
    accounts::AuditNote note{
        .action = action,
        .target = budget.key_id.empty() ? budget.tenant_id : budget.key_id,
    };
    if (budget.amount > billing::MicroUsd(0)) {
        note.details = {
            {"monthly_amount", billing::to_dollars(budget.amount)},
            {"alert_percents", fmt::format("{}", fmt::join(budget.alert_percents, ","))},
            {"hard_stop", budget.hard_stop ? "true" : "false"},
        };
    }
    return accounts::audit_store::add(tx, by, std::move(note));
}

}  // namespace

std::vector<net::Route> BudgetEndpoints::routes() {
    const std::string all = "/api/billing/budgets";
    const std::string of_project = "/api/billing/budgets/project";
    const std::string of_key = "/api/billing/budgets/keys/{key_id}";
    return {
        net::typed(
            row(kNoun,
                {Method::kGet, all, "budgets_list", "The project's budgets, and how they stand"}),
            *this,
            &BudgetEndpoints::list
        ),
        net::typed(
            row(kNoun,
                {Method::kPut, of_project, "budgets_put_project", "Set the project's budget"}),
            *this,
            &BudgetEndpoints::put
        ),
        net::typed(
            row(kNoun, {Method::kPut, of_key, "budgets_put_key", "Set an API key's budget"}),
            *this,
            &BudgetEndpoints::put
        ),
        net::typed(
            row(kNoun,
                {Method::kDelete,
                 of_project,
                 "budgets_remove_project",
                 "Remove the project's budget"}),
            *this,
            &BudgetEndpoints::remove
        ),
        net::typed(
            row(kNoun,
                {Method::kDelete, of_key, "budgets_remove_key", "Remove an API key's budget"}),
            *this,
            &BudgetEndpoints::remove
        ),
    };
}

net::Task<protocol::BudgetList> BudgetEndpoints::list(net::Call call) {
    auto look_up = [tenant_id = principal_of(call.principal).project_id](db::Tx& tx) {
        return billing::budgets::list(tx, tenant_id);
    };
    protocol::BudgetList list;
    CO_TRY(list.data, co_await backend_.read(std::move(look_up)));
    co_return list;
}

net::Task<protocol::BudgetList> BudgetEndpoints::put(
    net::Call call, protocol::BudgetChange change
) {
    billing::Budget budget{
        .tenant_id = principal_of(call.principal).project_id,
        .alert_percents = std::move(change.alert_percents),
        .hard_stop = change.hard_stop,
    };
    CO_TRY(budget.key_id, key_of(call));
    auto amount = billing::parse_dollars(change.monthly_amount);
    if (!amount) {
        co_return std::move(amount).error().at("monthly_amount");
    }
    budget.amount = *amount;
    auto apply = [budget = std::move(budget), by = principal_of(call.principal)](db::Tx& tx
                 ) -> Result<std::vector<protocol::BudgetView>> {
        TRY_STATUS(billing::budgets::put(tx, budget));
        TRY_STATUS(note(tx, by, budget, "budget.set"));
        return billing::budgets::list(tx, budget.tenant_id);
    };
    protocol::BudgetList list;
    CO_TRY(list.data, co_await backend_.write(std::move(apply)));
    co_return list;
}

net::Task<void> BudgetEndpoints::remove(net::Call call) {
    billing::Budget budget{.tenant_id = principal_of(call.principal).project_id};
    CO_TRY(budget.key_id, key_of(call));
    auto apply = [budget = std::move(budget),
                  by = principal_of(call.principal)](db::Tx& tx) -> Status {
        TRY_STATUS(billing::budgets::remove(tx, budget.tenant_id, budget.key_id));
        return note(tx, by, budget, "budget.removed");
    };
    co_return co_await backend_.write(std::move(apply));
}

}  // namespace nexa::api
