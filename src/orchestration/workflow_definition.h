// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "core/value_node.h"
#include "orchestration/expression.h"
#include "protocol/job_types.h"

namespace nexa::orchestration {

inline constexpr std::size_t kWorkflowStepsMax = 256;
/// Jobs of one step: the product of its matrix.
inline constexpr std::size_t kWorkflowBranchesMax = 64;

/// A condition with the text it came from, for those who ask why a step was skipped.
struct StepCondition {
    std::string text;
    Expression expression;
};

/// One step of a workflow that was found good.
struct StepDefinition {
    std::string name;
    const protocol::JobTypeRow* type = nullptr;
    ValueNode spec;  ///< with its expressions
    std::optional<StepCondition> condition;
    std::vector<std::size_t> needs;  ///< places in the definition, all before this one; rising
    std::vector<std::pair<std::string, ValueNode>> matrix;  ///< a list, or an expression each
    bool stops_on_failure = true;
    int retries = 0;
    std::string pool;
    int priority = 0;
    int max_attempts = 3;
    int gpus = 0;
    std::int64_t memory_bytes = 0;
};

/// A workflow that can run: its steps exist, form no circle and refer to what is there.
struct WorkflowDefinition {
    std::optional<std::string> name;
    std::optional<std::string> template_name;
    ValueNode inputs;                   ///< an object
    std::vector<StepDefinition> steps;  ///< each behind those that it needs
    JsonText text;  ///< as submitted, with the template's steps: read_workflow() takes it again

    /// The place of the step of that name.
    std::optional<std::size_t> find(std::string_view step) const;
};

/// Reads a submission, JSON or YAML, and checks all that can be known before anything runs: fields,
/// job types, each step's spec (what an expression will fill in is left open), references, needs,
/// matrices. Errors: kInvalidArgument, kNotFound (job type, template) at "steps.NAME.FIELD", behind
/// "`source`:LINE: " if `source` is not empty.
Result<WorkflowDefinition> read_workflow(const ValueNode& submission, std::string_view source);

/// The same of WorkflowDefinition::text, from where we kept it.
Result<WorkflowDefinition> read_workflow(const JsonText& text);

}  // namespace nexa::orchestration
