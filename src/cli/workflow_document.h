// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "core/result.h"
#include "core/value_node.h"

namespace nexa::cli {

/// A workflow as it was typed: a file, or the name of a template.
struct WorkflowDocument {
    std::string text;
    std::string source;  ///< empty for a template
    ValueNode tree{.kind = ValueNode::Kind::kObject};
};

/// Reads `what` and puts `sets` (NAME=VALUE) among its inputs, and `name` if there is one. Blocks.
/// Errors: those of reading, with the line; kInvalidArgument.
Result<WorkflowDocument> read_workflow_document(
    CliContext& context,
    const std::string& what,
    const std::vector<std::string>& sets,
    const std::string& name
);

/// In place of a member of that name, or behind all others.
void put(ValueNode& object, const std::string& key, ValueNode value);

}  // namespace nexa::cli
