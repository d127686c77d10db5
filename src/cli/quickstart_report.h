// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/quickstart_plan.h"
#include "cli/table.h"
#include "core/json_text.h"
#include "core/result.h"

namespace nexa::cli {

/// One step that was done.
struct StepReport {
    std::string name;
    std::string title;
    double seconds = 0;
    double cost_usd = 0;
    std::string note;  ///< what came of it, in a few words
};

/// How often a model's answer is the right one, with the 95 % interval.
struct ModelScore {
    double exact_match = 0;
    double low = 0;
    double high = 0;
};

/// What a quickstart has shown.
struct QuickstartReport {
    std::vector<StepReport> steps;
    std::optional<ModelScore> teacher;
    std::optional<ModelScore> student;
    std::optional<double> bits_per_byte_before;
    std::optional<double> bits_per_byte_after;
    double seconds = 0;

    /// Takes in what a step's job answered: the note, the scores, and in `made` the ids. Errors:
    /// kUnavailable if the result is not one of that job type.
    Result<std::string> take(StepKind step, const JsonText& result, Made& made);

    /// The file of --report: steps, teacher, student or bits per byte, seconds.
    std::string to_json() const;
    /// A row a step, and the whole.
    Table to_table() const;
};

}  // namespace nexa::cli
