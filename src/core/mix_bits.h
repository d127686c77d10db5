// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nexa {

/// A bijection of 64-bit numbers in which every input bit moves every output bit: the finalizer of
/// Vigna's splitmix64. The same on every machine; what was drawn by it must stay as it is.
constexpr std::uint64_t mix_bits(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31U);
}

// The first number that splitmix64 draws of seed 0.
static_assert(mix_bits(0) == 0xE220A8397B1DCDAFULL);

}  // namespace nexa
