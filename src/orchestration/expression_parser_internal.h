// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "orchestration/expression.h"

namespace nexa::orchestration {

/// The nodes of one expression, each behind its operands; the last one is the whole. Errors:
/// kInvalidArgument, saying at which character.
Result<std::vector<Expression::Node>> parse_nodes(std::string_view text);

}  // namespace nexa::orchestration
