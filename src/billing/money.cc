// SPDX-License-Identifier: Apache-2.0
#include "billing/money.h"

#include <fmt/format.h>

#include "core/decimal.h"

namespace nexa::billing {

namespace {
constexpr std::uint64_t kMicrosPerDollar = 1'000'000;
constexpr std::int64_t kLargest = 1'000'000'000'000'000'000;  // 10^12 dollars
}  // namespace

Result<MicroUsd> parse_dollars(std::string_view text) {
    const auto number = parse_decimal(text);
    const auto micros = number ? whole_multiple(*number, kMicrosPerDollar) : std::nullopt;
    if (!micros || *micros <= 0 || *micros > kLargest) {
        return Error::invalid_argument("'{}' is no amount of dollars", text)
            .hint("above zero, with at most six decimals, as in 12.50");
    }
    return MicroUsd(static_cast<std::int64_t>(*micros));
}

std::string to_dollars(MicroUsd amount) {
    const bool negative = amount.value() < 0;
    const auto value = static_cast<std::uint64_t>(amount.value());
    const std::uint64_t micros =
        negative ? ~value + 1 : value;  // also right for the smallest number
    return fmt::format(
        "{}{}.{:06}", negative ? "-" : "", micros / kMicrosPerDollar, micros % kMicrosPerDollar
    );
}

}  // namespace nexa::billing
