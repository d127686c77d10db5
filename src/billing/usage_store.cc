// SPDX-License-Identifier: Apache-2.0
#include "billing/usage_store.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "billing/billing_sql.h"
#include "billing/ledger.h"
#include "core/check.h"

namespace nexa::billing {

namespace {

using usage_store::Accrued;

constexpr std::string_view kInference = "inference";

/// Sums under construction; rendered as dollars at the end.
struct Totals {
    std::map<std::string, double> usage;
    std::map<std::string, double> usage_over_time;
    std::map<std::string, MicroUsd> cost_by_meter;
    std::map<std::string, MicroUsd> cost_by_job_type;

    void add(const std::string& meter, const std::string& job_type, MicroUsd cost) {
        cost_by_meter[meter] += cost;
        cost_by_job_type[job_type] += cost;
    }
    void add_metered(const db::Row& row) {
        const std::string& meter = row.text("meter");
        usage[meter] += static_cast<double>(row.int64("quantity")) /
                        static_cast<double>(units_per_shown(meter));
        add(meter, row.text("job_type"), MicroUsd(row.int64("cost_microusd")));
    }
    void add_accrued(const Accrued& more) {
        constexpr double kSecondsPerHour = 3600;
        constexpr double kBytesPerGb = 1e9;
        const bool is_bytes = more.meter == kStoredBytes;
        usage_over_time[is_bytes ? "stored_gb_hours" : "deployment_hours"] +=
            more.unit_seconds / kSecondsPerHour / (is_bytes ? kBytesPerGb : 1);
        add(more.meter, more.job_type, more.cost);
    }
    MicroUsd cost() const {
        MicroUsd total;
        for (const auto& [meter, cost] : cost_by_meter) {
            total += cost;
        }
        return total;
    }
};

/// Cards may leave the program; what was charged by one goes on by the newest of its name, or by
/// the default.
const RateCard& card_named(const std::string& name) {
    const auto exact = find_rate_card(name);
    const auto found = exact ? exact : find_rate_card(name.substr(0, name.rfind('-')));
    return found ? **found : default_rate_card();
}

std::map<std::string, std::string> in_dollars(const std::map<std::string, MicroUsd>& amounts) {
    std::map<std::string, std::string> shown;
    for (const auto& [name, amount] : amounts) {
        shown.emplace(name, to_dollars(amount));
    }
    return shown;
}

/// `sums` without what `before` had of each: what has come since.
std::vector<Accrued> since(std::vector<Accrued> sums, const std::vector<Accrued>& before) {
    for (Accrued& sum : sums) {
        const auto old = std::ranges::find_if(before, [&](const Accrued& one) {
            return one.meter == sum.meter && one.job_type == sum.job_type &&
                   one.rate_card == sum.rate_card;
        });
        if (old != before.end()) {
            sum.unit_seconds -= old->unit_seconds;
            sum.cost = sum.cost - old->cost;
        }
    }
    return sums;
}

protocol::BillingPart part_of(const Totals& totals, const Period& period) {
    return {
        .start = to_rfc3339(period.from),
        .end = to_rfc3339(period.until),
        .cost = to_dollars(totals.cost()),
        .usage_by_type = totals.usage,
        .usage_over_time = totals.usage_over_time,
        .cost_by_type = in_dollars(totals.cost_by_meter),
        .cost_by_job_type = in_dollars(totals.cost_by_job_type),
    };
}

/// What one job's row has accrued from when it began until it ended, or now.
Accrued accrued_by(const db::Row& row, Timestamp now) {
    const Timestamp begin = row.timestamp("at");
    const auto ended = row.optional_int64("ends_at");
    const Timestamp end = ended ? Timestamp{std::chrono::microseconds{*ended}} : now;
    const double seconds = std::chrono::duration<double>(end - begin).count();
    const double unit_seconds = static_cast<double>(row.int64("quantity")) * seconds;
    return {
        .meter = row.text("meter"),
        .job_type = row.text("job_type"),
        .rate_card = row.text("rate_card"),
        .unit_seconds = unit_seconds,
        .cost = accrued_cost(card_named(row.text("rate_card")), row.text("meter"), unit_seconds),
    };
}

/// Whose charges are written.
struct ChargeOwner {
    const std::string& job_id;
    const std::string& job_type;
    const std::string& tenant_id;
    const std::string& key_id;
    Timestamp at;
};

/// Puts the new charges of one job into the ledger and into the month's sums of project and key.
class Charges {
public:
    Charges(const RateCard& card, ChargeOwner owner) : card_(card), owner_(owner) {}

    Status add(db::Tx& tx, const Metered& used, MicroUsd cost) {
        if (cost == MicroUsd(0)) {
            return {};
        }
        sum_ += cost;
        TRY_STATUS(ledger::post(
            tx,
            {
                .kind = "charge",
                .subject = fmt::format("{}/{}", owner_.job_id, used.meter),
                .tenant_id = owner_.tenant_id,
                .debit = account::kReceivable,
                .credit = account::kRevenue,
                .amount = cost,
                .at = owner_.at,
                .job_id = owner_.job_id,
                .job_type = owner_.job_type,
                .meter = std::string(used.meter),
                .rate_card = std::string(card_.name),
                .quantity = static_cast<double>(used.quantity) /
                            static_cast<double>(units_per_shown(used.meter)),
            }
        ));
        return {};
    }

    Status finish(db::Tx& tx) const {
        if (sum_ == MicroUsd(0)) {
            return {};
        }
        TRY_STATUS(tx.execute(
            sql::kAddStripeTask,
            {
                {"kind", "usage"},
                {"subject", owner_.job_id},
                {"tenant_id", owner_.tenant_id},
                {"amount_microusd", sum_},
                {"at", owner_.at},
            }
        ));
        TRY_STATUS(add_to(tx, ""));
        return owner_.key_id.empty() ? Status() : add_to(tx, owner_.key_id);
    }

private:
    Status add_to(db::Tx& tx, const std::string& key_id) const {
        TRY_STATUS(tx.execute(
            sql::kAddSpend,
            {
                {"tenant_id", owner_.tenant_id},
                {"key_id", key_id},
                {"month", month_of(owner_.at).from},
                {"cost_microusd", sum_},
            }
        ));
        return {};
    }

    const RateCard& card_;
    ChargeOwner owner_;
    MicroUsd sum_;
};

}  // namespace

namespace usage_store {

Status record(db::Tx& tx, const RateCard& card, const UsageEntry& entry) {
    std::vector<Metered> used = metered(entry.usage);
    if (entry.job_type == "deploy") {
        used.push_back({kDeployments, 1});
    }
    Charges charges(card, {entry.job_id, entry.job_type, entry.tenant_id, entry.key_id, tx.now()});
    for (const Metered& metered : used) {
        const MicroUsd cost = cost_of(card, entry.job_type, metered);
        TRY(const std::int64_t added,
            tx.execute(
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
                    {"cost_microusd", cost},
                }
            ));
        if (added == 1) {
            TRY_STATUS(charges.add(tx, metered, cost));
        }
    }
    return charges.finish(tx);
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
    const Timestamp when = std::min(*at, tx.now());
    const std::string job_type(kInference);
    Charges charges(card, {answer.id, job_type, answer.project_id, answer.key_id, when});
    for (const Metered& metered : meters) {
        const MicroUsd cost = cost_of(card, kInference, metered);
        TRY(const std::int64_t added,
            tx.execute(
                sql::kAddInference,
                {
                    {"answer_id", answer.id},
                    {"meter", metered.meter},
                    {"quantity", metered.quantity},
                    {"tenant_id", answer.project_id},
                    {"key_id", answer.key_id},
                    {"job_type", kInference},
                    {"rate_card", card.name},
                    {"cost_microusd", cost},
                    {"at", *at},
                }
            ));
        if (added == 1) {
            TRY_STATUS(charges.add(tx, metered, cost));
        }
    }
    return charges.finish(tx);
}

Result<std::vector<Accrued>> accrued(db::Tx& tx, const UsageFilter& whose, const Period& period) {
    if (period.from >= std::min(period.until, tx.now())) {
        return std::vector<Accrued>();  // it lies ahead
    }
    TRY(const auto rows,
        tx.query(
            sql::kSumAccruing,
            {
                {"tenant_id", whose.tenant_id},
                {"key_id", whose.key_id},
                {"from", period.from},
                {"until", std::min(period.until, tx.now())},
            }
        ));
    std::vector<Accrued> sums;
    for (const db::Row& row : rows) {
        Accrued sum{
            .meter = row.text("meter"),
            .job_type = row.text("job_type"),
            .rate_card = row.text("rate_card"),
            .unit_seconds = row.real("unit_seconds"),
        };
        sum.cost = accrued_cost(card_named(sum.rate_card), sum.meter, sum.unit_seconds);
        sums.push_back(std::move(sum));
    }
    return sums;
}

Result<protocol::BillingSummary> summarize(
    db::Tx& tx, const RateCard& card, const UsageFilter& whose, const Period& period
) {
    Totals totals;
    TRY(const auto rows,
        tx.query(
            sql::kSumUsage,
            {
                {"tenant_id", whose.tenant_id},
                {"key_id", whose.key_id},
                {"from", period.from},
                {"until", period.until},
            }
        ));
    std::ranges::for_each(rows, [&](const db::Row& row) { totals.add_metered(row); });
    TRY(const auto sums, accrued(tx, whose, period));
    std::ranges::for_each(sums, [&](const Accrued& sum) { totals.add_accrued(sum); });
    return protocol::BillingSummary{
        .total_cost = to_dollars(totals.cost()),
        .period_start = to_rfc3339(period.from),
        .period_end = to_rfc3339(period.until),
        .rate_card = std::string(card.name),
        .usage_by_type = std::move(totals.usage),
        .usage_over_time = std::move(totals.usage_over_time),
        .cost_by_type = in_dollars(totals.cost_by_meter),
        .cost_by_job_type = in_dollars(totals.cost_by_job_type),
    };
}

Result<protocol::BillingTrends> trends(
    db::Tx& tx, const UsageFilter& whose, const Period& period, Interval interval
) {
    TRY(const std::vector<Period> parts, parts_of(period, interval));
    TRY(const auto rows,
        tx.query(
            sql::kTrendUsage,
            {
                {"tenant_id", whose.tenant_id},
                {"key_id", whose.key_id},
                {"from", period.from},
                {"until", period.until},
                {"origin", begin_of(interval, period.from)},
                {"width", width_of(interval)},
            }
        ));
    std::vector<Totals> totals(parts.size());
    for (const db::Row& row : rows) {
        const auto bucket = static_cast<std::size_t>(row.int64("bucket"));
        NEXA_CHECK(bucket < totals.size());  // the statement and parts_of() cut alike
        totals[bucket].add_metered(row);
    }
    MicroUsd total;
    std::vector<Accrued> before;
    protocol::BillingTrends shown{
        .period_start = to_rfc3339(period.from),
        .period_end = to_rfc3339(period.until),
        .interval = interval == Interval::kHour ? "hour" : "day",
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        TRY(auto sums, accrued(tx, whose, {.from = period.from, .until = parts[i].until}));
        for (const Accrued& more : since(sums, before)) {
            totals[i].add_accrued(more);
        }
        before = std::move(sums);
        total += totals[i].cost();
        shown.data.push_back(part_of(totals[i], parts[i]));
    }
    shown.total_cost = to_dollars(total);
    return shown;
}

Result<std::vector<protocol::JobCostRow>> list_job_costs(db::Tx& tx, const JobCostFilter& filter) {
    TRY(const auto rows,
        tx.query(
            sql::kListJobCosts,
            {
                {"tenant_id", filter.whose.tenant_id},
                {"key_id", filter.whose.key_id},
                {"from", filter.period.from},
                {"until", filter.period.until},
                {"job_type", filter.job_type},
                {"after", filter.after},
                {"limit", filter.limit + 1},
            }
        ));
    std::vector<protocol::JobCostRow> jobs;
    for (const db::Row& row : rows) {
        jobs.push_back({
            .job_id = row.text("job_id"),
            .job_type = row.text("job_type"),
            .user_id = row.text("user_id"),
            .key_id = row.text("key_id"),
            .charged_at = to_rfc3339(row.timestamp("at")),
            .cost = to_dollars(MicroUsd(row.int64("cost_microusd"))),
        });
    }
    return jobs;
}

Result<std::vector<protocol::CostLine>> job_cost_lines(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_id
) {
    TRY(const auto rows,
        tx.query(sql::kListJobUsage, {{"tenant_id", tenant_id}, {"job_id", job_id}}));
    std::vector<protocol::CostLine> lines;
    for (const db::Row& row : rows) {
        const std::string& meter = row.text("meter");
        const bool accrues = meter == kStoredBytes || meter == kDeployments;
        const MicroUsd cost = accrues ? accrued_by(row, tx.now()).cost : MicroUsd(0);
        lines.push_back({
            .meter = meter,
            .quantity = static_cast<double>(row.int64("quantity")) /
                        static_cast<double>(units_per_shown(meter)),
            .rate_card = row.text("rate_card"),
            .cost = to_dollars(cost + MicroUsd(row.int64("cost_microusd"))),
            .cost_microusd = (cost + MicroUsd(row.int64("cost_microusd"))).value(),
            .accrues = accrues && row.is_null("ends_at"),
        });
    }
    return lines;
}

Status end_accrual(db::Tx& tx, const std::string& job_id, std::string_view meter) {
    TRY_STATUS(tx.execute(sql::kEndAccrual, {{"job_id", job_id}, {"meter", meter}}));
    return {};
}

Result<std::map<std::string, std::int64_t>> job_usage(db::Tx& tx, const std::string& job_id) {
    TRY(const auto rows, tx.query(sql::kJobUsage, {{"job_id", job_id}}));
    std::map<std::string, std::int64_t> usage;
    for (const db::Row& row : rows) {
        usage.emplace(row.text("meter"), row.int64("quantity"));
    }
    return usage;
}

Result<MicroUsd> job_cost(db::Tx& tx, const std::string& job_id) {
    TRY(const auto row, tx.query_one(sql::kJobCost, {{"job_id", job_id}}));
    NEXA_CHECK(row.has_value());  // an aggregate without GROUP BY gives one row
    return MicroUsd(row->int64("cost_microusd"));
}

}  // namespace usage_store

}  // namespace nexa::billing
