// SPDX-License-Identifier: Apache-2.0
#include "billing/usage_store.h"

#include <algorithm>

#include "billing/billing_sql.h"

namespace nexa::billing {

namespace {

constexpr std::string_view kInference = "inference";

/// Sums under construction; rendered as dollars at the end.
struct Totals {
    std::map<std::string, double> usage;
    std::map<std::string, MicroUsd> cost_by_meter;
    std::map<std::string, MicroUsd> cost_by_job_type;

    void add(const std::string& meter, const std::string& job_type, MicroUsd cost) {
        cost_by_meter[meter] += cost;
        cost_by_job_type[job_type] += cost;
    }
};

Status add_metered(db::Tx& tx, Totals& totals, const std::string& tenant_id, const Period& period) {
    TRY(const auto rows,
        tx.query(
            sql::kSumUsage,
            {
                {"tenant_id", tenant_id},
                {"from", period.from},
                {"until", period.until},
            }
        ));
    for (const db::Row& row : rows) {
        const std::string& meter = row.text("meter");
        totals.usage[meter] += static_cast<double>(row.int64("quantity")) /
                               static_cast<double>(units_per_shown(meter));
        totals.add(meter, row.text("job_type"), MicroUsd(row.int64("cost_microusd")));
    }
    return {};
}

Status add_accrued(
    db::Tx& tx,
    Totals& totals,
    const RateCard& card,
    const std::string& tenant_id,
    const Period& period
) {
    TRY(const auto rows,
        tx.query(
            sql::kSumAccruing,
            {
                {"tenant_id", tenant_id},
                {"from", period.from},
                {"until", std::min(period.until, tx.now())},
            }
        ));
    for (const db::Row& row : rows) {
        const std::string& meter = row.text("meter");
        totals.add(
            meter, row.text("job_type"), accrued_cost(card, meter, row.real("unit_seconds"))
        );
    }
    return {};
}

std::map<std::string, std::string> in_dollars(const std::map<std::string, MicroUsd>& amounts) {
    std::map<std::string, std::string> shown;
    for (const auto& [name, amount] : amounts) {
        shown.emplace(name, to_dollars(amount));
    }
    return shown;
}

}  // namespace

namespace usage_store {

Status record(db::Tx& tx, const RateCard& card, const UsageEntry& entry) {
    std::vector<Metered> used = metered(entry.usage);
    if (entry.job_type == "deploy") {
        used.push_back({kDeployments, 1});
    }
    for (const Metered& metered : used) {
        TRY_STATUS(tx.execute(
            sql::kAddUsage,
            {
                {"job_id", entry.job_id},
                {"meter", metered.meter},
                {"quantity", metered.quantity},
                {"tenant_id", entry.tenant_id},
                {"user_id", entry.user_id},
                {"key_id", entry.key_id},
                {"job_type", entry.job_type},
                {"rate_card", card.name},
                {"cost_microusd", cost_of(card, entry.job_type, metered)},
            }
        ));
    }
    return {};
}

Status record_inference(
    db::Tx& tx, const RateCard& card, const protocol::GatewayUsageLine& answer
) {
    if (answer.id.starts_with("job_")) {
        return Error::invalid_argument("'{}' is a job's id", answer.id).at("id");
    }
    const auto at = parse_rfc3339(answer.at);
    if (!at) {
        return Error(at.error()).at("at");
    }
    if (answer.project_id.empty()) {
        return {};
    }
    const Metered meters[] = {
        {"input_tokens", answer.prompt_tokens}, {"output_tokens", answer.completion_tokens}
    };
    for (const Metered& metered : meters) {
        TRY_STATUS(tx.execute(
            sql::kAddInference,
            {
                {"answer_id", answer.id},
                {"meter", metered.meter},
                {"quantity", metered.quantity},
                {"tenant_id", answer.project_id},
                {"key_id", answer.key_id},
                {"job_type", kInference},
                {"rate_card", card.name},
                {"cost_microusd", cost_of(card, kInference, metered)},
                {"at", *at},
            }
        ));
    }
    return {};
}

Result<protocol::BillingSummary> summarize(
    db::Tx& tx, const RateCard& card, const std::string& tenant_id, const Period& period
) {
    Totals totals;
    TRY_STATUS(add_metered(tx, totals, tenant_id, period));
    TRY_STATUS(add_accrued(tx, totals, card, tenant_id, period));
    MicroUsd total;
    for (const auto& [meter, cost] : totals.cost_by_meter) {
        total += cost;
    }
    return protocol::BillingSummary{
        .total_cost = to_dollars(total),
        .period_start = to_rfc3339(period.from),
        .period_end = to_rfc3339(period.until),
        .rate_card = std::string(card.name),
        .usage_by_type = std::move(totals.usage),
        .cost_by_type = in_dollars(totals.cost_by_meter),
        .cost_by_job_type = in_dollars(totals.cost_by_job_type),
    };
}

Status end_accrual(db::Tx& tx, const std::string& job_id, std::string_view meter) {
    TRY_STATUS(tx.execute(sql::kEndAccrual, {{"job_id", job_id}, {"meter", meter}}));
    return {};
}

Result<MicroUsd> job_cost(db::Tx& tx, const std::string& job_id) {
    TRY(const auto row, tx.query_one(sql::kJobCost, {{"job_id", job_id}}));
    NEXA_CHECK(row.has_value());  // an aggregate without GROUP BY gives one row
    return MicroUsd(row->int64("cost_microusd"));
}

}  // namespace usage_store

Period month_so_far(Timestamp now) {
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date{today};
    const std::chrono::sys_days first{date.year() / date.month() / 1};
    return {.from = first, .until = now};
}

}  // namespace nexa::billing
