// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "billing/rate_card.h"
#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/job_estimate.h"

namespace nexa::orchestration {

/// A job that is to be told about.
struct PlannedJob {
    std::string job_type;
    JsonText payload;              ///< canonical
    std::int64_t input_bytes = 0;  ///< of the dataset if there is one, else of all inputs
};

/// A finished one of the same type.
struct PastJob {
    JsonText payload;
    std::int64_t input_bytes = 0;
    double seconds = 0;
    std::map<std::string, std::int64_t> usage;  ///< by meter, in whole units
};

/// What a job would take, going by those before it.
struct Forecast {
    std::optional<protocol::EstimateRange> seconds;
    std::vector<protocol::MeterEstimate> usage;
    std::optional<protocol::CostEstimate> cost_usd;
    std::int64_t based_on = 0;
    std::string basis;
};

/// Scales what each similar past job took by the ratio of the work (rows to make, bytes to read
/// times passes over them, steps to take), and shows the median with the 10th and 90th percentile
/// of that (linear interpolation, R's type 7; below three jobs the least and the greatest). Similar
/// are jobs whose work is counted alike, if there are any with the same model or subject these
/// alone. Each job is priced whole, so the prices' range is not that of the sum of ranges.
/// Pure. A payload that no longer reads is left out.
Forecast forecast(
    const PlannedJob& job, std::span<const PastJob> past, const billing::RateCard& card
);

/// The newest finished jobs of a type in a project, up to 50.
Result<std::vector<PastJob>> read_past_jobs(
    db::Tx& tx, const std::string& tenant_id, const std::string& job_type
);

}  // namespace nexa::orchestration
