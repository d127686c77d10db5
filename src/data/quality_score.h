// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/result.h"

namespace nexa::data {

/// Shares of rows, 0 to 1, where 1 is best. A check that did not run has no share and no weight.
struct QualityComponents {
    std::optional<double> well_formed = {};  ///< rows without a lint error
    std::optional<double> distinct = {};     ///< rows that repeat no earlier one
    std::optional<double> filtered_in = {};  ///< rows that the quality rules keep
    std::optional<double> fitting = {};      ///< rows whose length fits the target model
};

struct QualityScore {
    double overall = 0;     ///< `overall_quality_score`: 0.00 to 5.00, in steps of 0.01
    std::string_view tier;  ///< `quality_tier`: "A+" … "F"
};

/// Weights and thresholds: docs/formats/quality_score.md. Without any component the score is 0.
/// Errors: kInvalidArgument naming a share that is not within 0 to 1.
Result<QualityScore> quality_score(const QualityComponents& components);

/// The tier of a score; 4.2 is "A-".
std::string_view tier_of(double overall);

}  // namespace nexa::data
