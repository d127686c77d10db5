// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/result.h"
#include "core/value_node.h"

namespace nexa::config {

/// Parses one YAML document into a tree whose nodes know their lines. Words without quotes become
/// `kPlain`: the field's type says what they are. An empty document is an empty object. Anchors and
/// aliases work; what they unfold to counts against the limits.
/// Errors, all with "`name`:line": kMalformed (no YAML, no UTF-8), kInvalidArgument (several
/// documents, a key given twice or that is no word, too deep, too many values, too many bytes).
Result<ValueNode> parse_yaml(
    std::string_view text, std::string_view name, const ParseLimits& limits = {}
);

}  // namespace nexa::config
