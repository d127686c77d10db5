// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/value_node.h"
#include "net/http_types.h"

namespace nexa::api {

inline constexpr std::size_t kWorkflowBytesMax = std::size_t{1} << 20;

/// JSON, and YAML by its usual names.
std::vector<std::string> workflow_content_types();

/// A body that people write by hand.
struct WorkflowBody {
    ValueNode tree;      ///< stands for itself; lines are those of the body
    std::string source;  ///< "yaml", before line numbers; empty for JSON
};

/// Reads the body by its Content-Type; without one it is JSON. Errors: kMalformed,
/// kInvalidArgument, with the line.
Result<WorkflowBody> read_workflow_body(const net::RequestHead& head, const std::string& body);

}  // namespace nexa::api
