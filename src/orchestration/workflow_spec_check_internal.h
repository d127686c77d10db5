// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/json_text.h"
#include "core/result.h"
#include "core/value_node.h"
#include "orchestration/workflow_definition.h"

namespace nexa::orchestration {

/// True if its condition is false whatever the steps before it answer.
bool never_runs(const StepDefinition& step, const Lookup& lookup);

/// Checks the spec of a step as far as it is known before anything runs. What an expression fills
/// in later is taken for good; a step whose condition is false whatever the others answer is not
/// checked at all. Errors: kInvalidArgument at the spec's field.
Status check_step_spec(const StepDefinition& step, const ValueNode& inputs);

/// A value of which everything is known by now. Errors: those of `value`; kInternal if it is not.
Result<ValueNode> known(Result<std::optional<ValueNode>> value);

/// The spec with its expressions replaced, as the job's canonical payload. A field whose expression
/// gives null is left out, so that its default holds. Errors: kInvalidArgument at the field.
Result<JsonText> payload_of(const StepDefinition& step, const Lookup& lookup);

}  // namespace nexa::orchestration
