// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/check.h"
#include "core/mix_bits.h"

namespace nexa::data {

/// Random numbers that depend on (seed, counter) alone: row i has its own stream, so any row can be
/// made anywhere, in any order.
class CounterRandom {
public:
    constexpr CounterRandom(std::uint64_t seed, std::uint64_t counter)
        : state_(mix_bits(mix_bits(seed) ^ counter)) {}

    constexpr std::uint64_t next() { return mix_bits(state_++); }

    /// 0 up to `bound`, exactly uniform: values that would favor some numbers are drawn again.
    constexpr std::uint64_t below(std::uint64_t bound) {
        NEXA_CHECK(bound > 0);
        const std::uint64_t refused = (0 - bound) % bound;  // 2^64 mod bound
        std::uint64_t value = next();
        while (value < refused) {
            value = next();
        }
        return value % bound;
    }

    /// From 0 up to 1, in steps of 2^-53.
    constexpr double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

}  // namespace nexa::data
