// SPDX-License-Identifier: Apache-2.0
#include "engine/training/order.h"

#include <bit>

#include "core/check.h"
#include "core/mix_bits.h"
#include "engine/nets/seed.h"

namespace nexa::training {

std::uint64_t shuffled_index(
    std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint64_t size
) {
    NEXA_CHECK(index < size);
    // A Feistel network permutes [0, 4^half_bits), the next such range that holds `size`; walking
    // on from a place outside leads back inside after less than four steps on average.
    const auto half_bits = static_cast<unsigned>(std::bit_width(size - 1) + 1) / 2;
    const std::uint64_t half_mask = (std::uint64_t{1} << half_bits) - 1;
    const std::uint64_t key = mix_bits(nets::derive_seed(seed, "order") + epoch);
    constexpr std::uint64_t kRounds = 8;
    do {
        std::uint64_t left = index >> half_bits;
        std::uint64_t right = index & half_mask;
        for (std::uint64_t round = 0; round < kRounds; ++round) {
            const std::uint64_t mixed = mix_bits(key + (right << 8) + round) & half_mask;
            const std::uint64_t next = left ^ mixed;
            left = right;
            right = next;
        }
        index = (left << half_bits) | right;
    } while (index >= size);
    return index;
}

}  // namespace nexa::training
