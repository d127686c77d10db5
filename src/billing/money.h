// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "core/strong.h"

namespace nexa::billing {

/// An amount in millionths of a dollar. Money is never a floating-point number here.
using MicroUsd = Strong<std::int64_t, struct MicroUsdTag>;

/// "12.345678": dollars with all six decimals, exact.
std::string to_dollars(MicroUsd amount);

}  // namespace nexa::billing
