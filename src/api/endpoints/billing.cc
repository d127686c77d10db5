// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/billing.h"

#include <algorithm>

#include "api/authenticator.h"
#include "api/query.h"
#include "api/rows.h"
#include "billing/ledger.h"
#include "billing/usage_store.h"
#include "orchestration/job_store.h"

namespace nexa::api {

namespace {

using billing::MicroUsd;
using net::Method;

constexpr Noun kNoun{
    .tag = "billing", .read_scope = "billing:read", .write_scope = "billing:write"
};

const std::vector<net::ParameterInfo> kPeriodParameters{
    {.name = "month", .description = "A calendar month (UTC), as in 2026-10; default: this one"},
    {.name = "from", .description = "RFC 3339; with it, or `until`, any period"},
    {.name = "until", .description = "RFC 3339; default: now"},
    {.name = "key_id", .description = "Only what this API key asked for"},
};

std::vector<net::ParameterInfo> with_period(std::vector<net::ParameterInfo> parameters) {
    parameters.insert(parameters.begin(), kPeriodParameters.begin(), kPeriodParameters.end());
    return parameters;
}

Result<Timestamp> time_parameter(const net::Query& query, std::string_view name, Timestamp absent) {
    const auto text = text_parameter(query, name);
    if (!text) {
        return absent;
    }
    auto time = parse_rfc3339(*text);
    return time ? std::move(time) : Result<Timestamp>(std::move(time).error().at(name));
}

/// What the query asks about; a month that has not ended yet, up to now.
Result<billing::Period> period_of(const net::Query& query, Timestamp now) {
    const auto month = text_parameter(query, "month");
    billing::Period period = billing::month_so_far(now);
    if (month) {
        TRY(period, billing::month_named(*month));
        period.until = std::max(period.from, std::min(period.until, now));
    }
    TRY(period.from, time_parameter(query, "from", period.from));
    TRY(period.until, time_parameter(query, "until", period.until));
    if (period.until < period.from) {
        return Error::invalid_argument("the period ends before it begins").at("until");
    }
    return period;
}

billing::UsageFilter whose_of(const net::Call& call) {
    return {
        .tenant_id = principal_of(call.principal).project_id,
        .key_id = text_parameter(call.head->query, "key_id"),
    };
}

/// What a job holds while it runs, priced as if it ended now.
protocol::CostLine held_so_far(
    const billing::RateCard& card, const orchestration::Job& job, Timestamp now
) {
    const auto held = std::max(now - *job.started_at, std::chrono::microseconds{0});
    const billing::Metered used{"gpu_seconds", job.gpus * held.count()};
    const MicroUsd cost = billing::cost_of(card, job.job_type, used);
    return {
        .meter = std::string(used.meter),
        .quantity = static_cast<double>(used.quantity) /
                    static_cast<double>(billing::units_per_shown(used.meter)),
        .rate_card = std::string(card.name),
        .cost = billing::to_dollars(cost),
        .cost_microusd = cost.value(),
        .accrues = true,
    };
}

Result<protocol::JobCost> cost_of_job(
    db::Tx& tx, const billing::RateCard& card, const orchestration::Job& job
) {
    protocol::JobCost shown{
        .job_id = job.job_id.text(),
        .job_type = job.job_type,
        .status = std::string(protocol::to_string(job.status)),
        .is_estimate = job.status == protocol::JobStatus::kRunning,
    };
    TRY(shown.lines, billing::usage_store::job_cost_lines(tx, job.tenant_id, shown.job_id));
    if (shown.is_estimate && job.started_at) {
        shown.lines.push_back(held_so_far(card, job, tx.now()));
    }
    TRY(const MicroUsd refunded, billing::ledger::refunded_of_job(tx, job.tenant_id, shown.job_id));
    shown.refunded = billing::to_dollars(refunded);
    MicroUsd total;
    for (const protocol::CostLine& line : shown.lines) {
        total += MicroUsd(line.cost_microusd);
    }
    shown.total_cost = billing::to_dollars(total);
    return shown;
}

}  // namespace

std::vector<net::Route> BillingEndpoints::routes() {
    net::Route summary_row =
        row(kNoun,
            {Method::kGet, "/api/billing/summary", "billing_summary", "Usage and cost of a period"}
        );
    summary_row.parameters = kPeriodParameters;
    net::Route trends_row =
        row(kNoun,
            {Method::kGet,
             "/api/billing/trends",
             "billing_trends",
             "Usage and cost of a period by the hour or day; adds up to the summary"});
    trends_row.parameters =
        with_period({{.name = "interval", .description = "hour or day (default)"}});
    net::Route jobs_row =
        row(kNoun,
            {Method::kGet, "/api/billing/jobs", "billing_jobs", "What each job of a period cost"});
    jobs_row.parameters = with_period({
        {.name = "job_type", .description = "Only jobs of this type"},
        {.name = "limit",
         .description = "Jobs per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    });
    return {
        net::typed(summary_row, *this, &BillingEndpoints::summary),
        net::typed(trends_row, *this, &BillingEndpoints::trends),
        net::typed(jobs_row, *this, &BillingEndpoints::jobs),
        net::typed(
            row(kNoun,
                {Method::kGet,
                 "/api/jobs/{job_id}/cost",
                 "jobs_cost",
                 "What one job cost, by meter; of one that runs, what it has used so far"}),
            *this,
            &BillingEndpoints::job
        ),
    };
}

net::Task<protocol::BillingSummary> BillingEndpoints::summary(net::Call call) {
    CO_TRY(const billing::Period period, period_of(call.head->query, with_.clock.now()));
    auto look_up = [&card = with_.rate_card, whose = whose_of(call), period](db::Tx& tx) {
        return billing::usage_store::summarize(tx, card, whose, period);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::BillingTrends> BillingEndpoints::trends(net::Call call) {
    CO_TRY(const billing::Period period, period_of(call.head->query, with_.clock.now()));
    const std::string interval = text_parameter(call.head->query, "interval").value_or("day");
    if (interval != "day" && interval != "hour") {
        co_return Error::invalid_argument("there is no interval '{}'", interval)
            .at("interval")
            .hint("hour or day");
    }
    const auto parts = interval == "hour" ? billing::Interval::kHour : billing::Interval::kDay;
    auto look_up = [whose = whose_of(call), period, parts](db::Tx& tx) {
        return billing::usage_store::trends(tx, whose, period, parts);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::JobCostList> BillingEndpoints::jobs(net::Call call) {
    const net::Query& query = call.head->query;
    billing::usage_store::JobCostFilter filter{
        .whose = whose_of(call),
        .job_type = text_parameter(query, "job_type"),
        .after = text_parameter(query, "after"),
    };
    CO_TRY(filter.period, period_of(query, with_.clock.now()));
    CO_TRY(filter.limit, limit_parameter(query));
    const auto limit = static_cast<std::size_t>(filter.limit);
    auto look_up = [filter = std::move(filter)](db::Tx& tx) {
        return billing::usage_store::list_job_costs(tx, filter);
    };
    protocol::JobCostList list;
    CO_TRY(list.data, co_await with_.backend.read(std::move(look_up)));
    list.has_more = list.data.size() > limit;
    if (list.has_more) {
        list.data.pop_back();
        list.next_cursor = list.data.back().job_id;
    }
    co_return list;
}

net::Task<protocol::JobCost> BillingEndpoints::job(net::Call call) {
    const std::string& text = call.parameter("job_id");
    auto job_id = JobId::parse(text);
    if (!job_id) {
        co_return Error::not_found("there is no job {}", text).at("job_id");
    }
    auto look_up = [job_id = *std::move(job_id),
                    tenant_id = principal_of(call.principal).project_id,
                    &card = with_.rate_card](db::Tx& tx) -> Result<protocol::JobCost> {
        TRY(const orchestration::Job job, orchestration::job_store::get(tx, job_id, tenant_id));
        return cost_of_job(tx, card, job);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

}  // namespace nexa::api
