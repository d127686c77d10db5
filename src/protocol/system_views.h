// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Usage and cost of a period. Money is text in dollars with six decimals, exact.
struct BillingSummary {
    static constexpr std::string_view kName = "BillingSummary";
    std::string total_cost;
    std::string currency = "USD";
    std::string period_start;
    std::string period_end;
    std::string rate_card;
    std::map<std::string, double> usage_by_type;
    std::map<std::string, double> usage_over_time;
    std::map<std::string, std::string> cost_by_type;
    std::map<std::string, std::string> cost_by_job_type;

    static constexpr auto fields() {
        return std::tuple{
            field("total_cost", &BillingSummary::total_cost, "Sum of cost_by_type, in dollars")
                .required(),
            field("currency", &BillingSummary::currency, "USD").required(),
            field("period_start", &BillingSummary::period_start, "From").required(),
            field("period_end", &BillingSummary::period_end, "To").required(),
            field("rate_card", &BillingSummary::rate_card, "Which rates were applied").required(),
            field("usage_by_type", &BillingSummary::usage_by_type, "Quantities by meter")
                .required(),
            field(
                "usage_over_time",
                &BillingSummary::usage_over_time,
                "Held, times hours: stored_gb_hours, deployment_hours"
            )
                .required(),
            field("cost_by_type", &BillingSummary::cost_by_type, "Dollars by meter").required(),
            field("cost_by_job_type", &BillingSummary::cost_by_job_type, "Dollars by job type")
                .required(),
        };
    }
};

struct VersionView {
    static constexpr std::string_view kName = "VersionView";
    std::string version;
    std::string commit;

    static constexpr auto fields() {
        return std::tuple{
            field("version", &VersionView::version, "Of the program").required(),
            field("commit", &VersionView::commit, "It was built from; empty outside a repository")
                .required(),
        };
    }
};

struct HealthView {
    static constexpr std::string_view kName = "HealthView";
    std::string status;
    std::map<std::string, std::string> checks;

    static constexpr auto fields() {
        return std::tuple{
            field("status", &HealthView::status, "ok, or what is wrong").required(),
            field("checks", &HealthView::checks, "One per dependency").required(),
        };
    }
};

}  // namespace nexa::protocol
