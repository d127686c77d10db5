// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "data/quality_score.h"
#include "engine/pipelines/audit_totals.h"
#include "engine/pipelines/scored_dataset.h"

namespace nexa::pipelines {

struct AuditReport {
    std::string dataset;  ///< its id
    std::string format;   ///< of its rows
    std::string tokenizer;
    data::QualityScore score;
    const AuditTotals& totals;
    std::span<const AuditFinding> examples;
};

/// One HTML page that needs nothing from anywhere: no script, no font, no picture of others. Text
/// of the dataset is in it as text, whatever it is.
std::string to_html(const AuditReport& report);

}  // namespace nexa::pipelines
