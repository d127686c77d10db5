// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/mix_bits.h"

namespace nexa::nets {

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
