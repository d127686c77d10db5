// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/strong.h"

namespace nexa::billing {

/// An amount in millionths of a dollar. Money is never a floating-point number here.
using MicroUsd = Strong<std::int64_t, struct MicroUsdTag>;

/// "12.345678": dollars with all six decimals, exact.
std::string to_dollars(MicroUsd amount);
/// Reads dollars, above zero and with at most six decimals: "250", "0.000001". Errors:
/// kInvalidArgument.
Result<MicroUsd> parse_dollars(std::string_view text);

}  // namespace nexa::billing
