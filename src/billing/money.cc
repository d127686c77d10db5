// SPDX-License-Identifier: Apache-2.0
#include "billing/money.h"

#include <fmt/format.h>

namespace nexa::billing {

std::string to_dollars(MicroUsd amount) {
    constexpr std::uint64_t kMicrosPerDollar = 1'000'000;
    const bool negative = amount.value() < 0;
    const auto value = static_cast<std::uint64_t>(amount.value());
    const std::uint64_t micros =
        negative ? ~value + 1 : value;  // also right for the smallest number
    return fmt::format(
        "{}{}.{:06}", negative ? "-" : "", micros / kMicrosPerDollar, micros % kMicrosPerDollar
    );
}

}  // namespace nexa::billing
