// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cli/context.h"
#include "core/result.h"
#include "core/value_node.h"

namespace nexa::cli {

/// The text of a file that somebody wrote; "-" is stdin. At most 1 MiB. Blocks.
/// Errors: those of read_file(), kInvalidArgument (too much on stdin).
Result<std::string> read_document(CliContext& context, const std::string& file);

/// JSON, if it begins with a brace, else YAML. The tree points into `text`. Errors name `source`
/// and the line.
Result<ValueNode> parse_document(std::string_view text, std::string_view source);

}  // namespace nexa::cli
