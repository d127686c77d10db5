// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"

namespace nexa::protocol {

// What a job would be and take, told before it is submitted.

/// What eight of ten similar jobs lay between, and the middle one. Of fewer than three: the least
/// and the greatest.
struct EstimateRange {
    static constexpr std::string_view kName = "EstimateRange";
    double low = 0;
    double median = 0;
    double high = 0;

    bool operator==(const EstimateRange&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("low", &EstimateRange::low, "One of ten takes less").required(),
            field("median", &EstimateRange::median, "Half of them take less").required(),
            field("high", &EstimateRange::high, "One of ten takes more").required(),
        };
    }
};

struct MeterEstimate {
    static constexpr std::string_view kName = "MeterEstimate";
    std::string meter;
    double low = 0;
    double median = 0;
    double high = 0;

    bool operator==(const MeterEstimate&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("meter", &MeterEstimate::meter, "trained_tokens, cpu_seconds, …").required(),
            field("low", &MeterEstimate::low, "One of ten uses less").required(),
            field("median", &MeterEstimate::median, "Half of them use less").required(),
            field("high", &MeterEstimate::high, "One of ten uses more").required(),
        };
    }
};

struct CostEstimate {
    static constexpr std::string_view kName = "CostEstimate";
    std::string low;
    std::string median;
    std::string high;

    bool operator==(const CostEstimate&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("low", &CostEstimate::low, "Dollars, with six decimals").required(),
            field("median", &CostEstimate::median, "Dollars, with six decimals").required(),
            field("high", &CostEstimate::high, "Dollars, with six decimals").required(),
        };
    }
};

struct EstimateInput {
    static constexpr std::string_view kName = "EstimateInput";
    std::string name;
    std::string artifact_id;
    std::string kind;
    std::int64_t files = 0;
    std::int64_t bytes = 0;

    bool operator==(const EstimateInput&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &EstimateInput::name, "dataset, model, teacher, validation").required(),
            field("artifact_id", &EstimateInput::artifact_id, "Where it comes from").required(),
            field("kind", &EstimateInput::kind, "dataset, distill or checkpoint").required(),
            field("files", &EstimateInput::files, "How many").required(),
            field("bytes", &EstimateInput::bytes, "Of all files").unit("bytes").required(),
        };
    }
};

struct JobEstimate {
    static constexpr std::string_view kName = "JobEstimate";
    std::string object = "job_estimate";
    std::string job_type;
    JsonText payload;
    std::vector<EstimateInput> inputs;
    std::optional<EstimateRange> seconds;
    std::vector<MeterEstimate> usage;
    std::optional<CostEstimate> cost_usd;
    std::string rate_card;
    std::int64_t based_on = 0;
    std::string basis;
    std::int64_t jobs_ahead = 0;
    std::int64_t workers_fitting = 0;
    std::int64_t workers_idle = 0;
    std::optional<std::string> blocked_by;

    bool operator==(const JobEstimate&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("object", &JobEstimate::object, "job_estimate").required(),
            field("job_type", &JobEstimate::job_type, "What would run").required(),
            field("payload", &JobEstimate::payload, "The spec, with defaults").required(),
            field("inputs", &JobEstimate::inputs, "What it would read").required(),
            field(
                "seconds",
                &JobEstimate::seconds,
                "From its engine's first word to its end, without waiting; null: nothing is known"
            )
                .unit("s")
                .null_when_empty(),
            field("usage", &JobEstimate::usage, "By meter; empty: nothing is known").required(),
            field("cost_usd", &JobEstimate::cost_usd, "Under the active rate card")
                .null_when_empty(),
            field("rate_card", &JobEstimate::rate_card, "The active one").required(),
            field("based_on", &JobEstimate::based_on, "Finished jobs that the numbers stand on")
                .required(),
            field("basis", &JobEstimate::basis, "What was compared, or why there are no numbers")
                .required(),
            field("jobs_ahead", &JobEstimate::jobs_ahead, "Of this project, in the same pool")
                .required(),
            field("workers_fitting", &JobEstimate::workers_fitting, "That could take it")
                .required(),
            field("workers_idle", &JobEstimate::workers_idle, "Of these, with no job now")
                .required(),
            field("blocked_by", &JobEstimate::blocked_by, "What it would wait for; null: nothing")
                .null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
