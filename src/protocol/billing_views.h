// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// An hour or a day of a trend.
struct BillingPart {
    static constexpr std::string_view kName = "BillingPart";
    std::string start;
    std::string end;
    std::string cost;
    std::map<std::string, double> usage_by_type;
    std::map<std::string, double> usage_over_time;
    std::map<std::string, std::string> cost_by_type;
    std::map<std::string, std::string> cost_by_job_type;

    static constexpr auto fields() {
        using S = BillingPart;
        return std::tuple{
            field("start", &S::start, "From").required(),
            field("end", &S::end, "Up to").required(),
            field("cost", &S::cost, "Sum of cost_by_type, in dollars").required(),
            field("usage_by_type", &S::usage_by_type, "Quantities by meter").required(),
            field("usage_over_time", &S::usage_over_time, "Quantities held, times hours")
                .required(),
            field("cost_by_type", &S::cost_by_type, "Dollars by meter").required(),
            field("cost_by_job_type", &S::cost_by_job_type, "Dollars by job type").required(),
        };
    }
};

/// Usage and cost of a period by the hour or day; the parts add up to the summary of the period.
struct BillingTrends {
    static constexpr std::string_view kName = "BillingTrends";
    std::string period_start;
    std::string period_end;
    std::string interval;
    std::string total_cost;
    std::string currency = "USD";
    std::vector<BillingPart> data;

    static constexpr auto fields() {
        using S = BillingTrends;
        return std::tuple{
            field("period_start", &S::period_start, "From").required(),
            field("period_end", &S::period_end, "Up to").required(),
            field("interval", &S::interval, "hour or day").required(),
            field("total_cost", &S::total_cost, "Sum of the parts, in dollars").required(),
            field("currency", &S::currency, "USD").required(),
            field("data", &S::data, "Oldest first; parts without usage too").required(),
        };
    }
};

/// What one meter of a job cost.
struct CostLine {
    static constexpr std::string_view kName = "CostLine";
    std::string meter;
    double quantity = 0;
    std::string rate_card;
    std::string cost;
    std::int64_t cost_microusd = 0;
    bool accrues = false;

    static constexpr auto fields() {
        using S = CostLine;
        return std::tuple{
            field("meter", &S::meter, "What was counted").required(),
            field("quantity", &S::quantity, "How much").required(),
            field("rate_card", &S::rate_card, "Priced by").required(),
            field("cost", &S::cost, "In dollars").required(),
            field("cost_microusd", &S::cost_microusd, "The same in millionths of a dollar")
                .required(),
            field("accrues", &S::accrues, "It grows with time, up to now here").required(),
        };
    }
};

struct JobCost {
    static constexpr std::string_view kName = "JobCost";
    std::string job_id;
    std::string job_type;
    std::string status;
    std::string total_cost;
    std::string currency = "USD";
    bool is_estimate = false;
    std::string refunded = "0.000000";
    std::vector<CostLine> lines;

    static constexpr auto fields() {
        using S = JobCost;
        return std::tuple{
            field("job_id", &S::job_id, "Whose cost").required(),
            field("job_type", &S::job_type, "What kind of job").required(),
            field("status", &S::status, "Of the job").required(),
            field("total_cost", &S::total_cost, "Sum of the lines, in dollars").required(),
            field("currency", &S::currency, "USD").required(),
            field(
                "is_estimate",
                &S::is_estimate,
                "The job still runs: what it has used so far, as far as it is known"
            )
                .required(),
            field("refunded", &S::refunded, "Given back, in dollars; not taken off total_cost")
                .required(),
            field("lines", &S::lines, "By meter").required(),
        };
    }
};

struct JobCostRow {
    static constexpr std::string_view kName = "JobCostRow";
    std::string job_id;
    std::string job_type;
    std::string user_id;
    std::string key_id;
    std::string charged_at;
    std::string cost;

    static constexpr auto fields() {
        using S = JobCostRow;
        return std::tuple{
            field("job_id", &S::job_id, "Which job").required(),
            field("job_type", &S::job_type, "What kind").required(),
            field("user_id", &S::user_id, "Whose").required(),
            field("key_id", &S::key_id, "Submitted with").required(),
            field("charged_at", &S::charged_at, "When it completed").required(),
            field("cost", &S::cost, "In dollars, without what accrues by time").required(),
        };
    }
};

struct JobCostList {
    static constexpr std::string_view kName = "JobCostList";
    std::string object = "list";
    std::vector<JobCostRow> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        using S = JobCostList;
        return std::tuple{
            field("object", &S::object, "list").required(),
            field("data", &S::data, "Newest first").required(),
            field("has_more", &S::has_more, "There is another page").required(),
            field("next_cursor", &S::next_cursor, "For `after`").null_when_empty(),
        };
    }
};

/// What a project, or one of its keys, may spend in a calendar month.
struct BudgetChange {
    static constexpr std::string_view kName = "BudgetChange";
    std::string monthly_amount;
    std::vector<int> alert_percents{50, 80, 100};
    bool hard_stop = false;

    static constexpr auto fields() {
        using S = BudgetChange;
        return std::tuple{
            field("monthly_amount", &S::monthly_amount, "Dollars a calendar month (UTC)")
                .required()
                .length(1, 20)
                .example("250.00"),
            field("alert_percents", &S::alert_percents, "Tell once when this much is spent")
                .within(1, 1000)
                .length(0, 16),
            field("hard_stop", &S::hard_stop, "Refuse new jobs once all of it is spent"),
        };
    }
};

struct BudgetView {
    static constexpr std::string_view kName = "BudgetView";
    std::string project_id;
    std::optional<std::string> key_id;
    std::string monthly_amount;
    std::vector<int> alert_percents;
    bool hard_stop = false;
    std::string month;
    std::string spent;
    double percent = 0;
    bool is_spent = false;
    std::string resets_at;
    std::vector<int> alerts_sent;

    static constexpr auto fields() {
        using S = BudgetView;
        return std::tuple{
            field("project_id", &S::project_id, "Of which project").required(),
            field("key_id", &S::key_id, "Of this API key alone").null_when_empty(),
            field("monthly_amount", &S::monthly_amount, "Dollars a calendar month").required(),
            field("alert_percents", &S::alert_percents, "When it tells").required(),
            field("hard_stop", &S::hard_stop, "Refuses new jobs once it is spent").required(),
            field("month", &S::month, "Which month `spent` is of").required(),
            field("spent", &S::spent, "Dollars in this month").required(),
            field("percent", &S::percent, "The same of monthly_amount").required(),
            field("is_spent", &S::is_spent, "All of it").required(),
            field("resets_at", &S::resets_at, "When the next month begins").required(),
            field("alerts_sent", &S::alerts_sent, "Which alerts this month had").required(),
        };
    }
};

struct BudgetList {
    static constexpr std::string_view kName = "BudgetList";
    std::string object = "list";
    std::vector<BudgetView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &BudgetList::object, "list").required(),
            field("data", &BudgetList::data, "The project's first").required(),
        };
    }
};

}  // namespace nexa::protocol
