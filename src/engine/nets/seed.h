// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace nexa::nets {

/// Turns a number into one that looks random: Vigna's splitmix64 finalizer. A bijection.
constexpr std::uint64_t mix_bits(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

/// A seed of its own for each purpose, so that drawing more for one never shifts another. The same
/// on every machine.
constexpr std::uint64_t derive_seed(std::uint64_t seed, std::string_view purpose) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
    for (const char letter : purpose) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL;
    }
    return mix_bits(mix_bits(seed) ^ hash);
}

}  // namespace nexa::nets
