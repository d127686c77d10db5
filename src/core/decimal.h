// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace nexa {

/// Holds every value of the signed and unsigned integers of 64 bits.
__extension__ typedef __int128 WideInt;

/// A decimal number read exactly: `digits` × 10^`exponent`, without trailing zeros in `digits`.
struct Decimal {
    WideInt digits = 0;
    int exponent = 0;
};

/// Reads what JSON calls a number. Empty if `text` is none, or has more than 30 digits that count
/// or an exponent beyond ±1000: too exact for any of our types.
std::optional<Decimal> parse_decimal(std::string_view text);

/// `number` × `factor` as an integer; empty if that is none or does not fit. `factor` is above 0.
std::optional<WideInt> whole_multiple(const Decimal& number, WideInt factor = 1);

}  // namespace nexa
