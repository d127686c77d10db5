// SPDX-License-Identifier: Apache-2.0
#include "cli/estimate_view.h"

#include <fmt/format.h>

#include "cli/api_client.h"
#include "cli/table.h"
#include "protocol/job_estimate.h"

namespace nexa::cli {

namespace {

std::string time_of(const std::optional<protocol::EstimateRange>& seconds) {
    if (!seconds) {
        return "unknown";
    }
    return fmt::format(
        "{} ({} to {})",
        human_seconds(seconds->median),
        human_seconds(seconds->low),
        human_seconds(seconds->high)
    );
}

std::string cost_of(const std::optional<protocol::CostEstimate>& cost) {
    return cost ? fmt::format("{} ({} to {})", cost->median, cost->low, cost->high) : "unknown";
}

}  // namespace

Result<int> show_estimate(Session& session, const std::string& reply) {
    TRY(const auto estimate, read_reply<protocol::JobEstimate>(reply));
    if (session.json()) {
        session.print_json(reply);
        return 0;
    }
    Table table({"FIELD", "VALUE"});
    table.add({"type", estimate.job_type});
    table.add({"payload", estimate.payload.text});
    for (const protocol::EstimateInput& input : estimate.inputs) {
        table.add({
            input.name,
            fmt::format(
                "{}, {}", input.artifact_id, human_bytes(static_cast<std::uint64_t>(input.bytes))
            ),
        });
    }
    table.add({"time", time_of(estimate.seconds)});
    for (const protocol::MeterEstimate& meter : estimate.usage) {
        table.add(
            {meter.meter,
             fmt::format("{:.4g} ({:.4g} to {:.4g})", meter.median, meter.low, meter.high)}
        );
    }
    table.add({"cost_usd", cost_of(estimate.cost_usd)});
    table.add({"basis", estimate.basis});
    table.add({
        "workers",
        fmt::format("{} fit, {} of them idle", estimate.workers_fitting, estimate.workers_idle),
    });
    table.add({"blocked by", estimate.blocked_by.value_or("nothing")});
    session.print_table(table, "");
    return 0;
}

}  // namespace nexa::cli
