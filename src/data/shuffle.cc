// SPDX-License-Identifier: Apache-2.0
#include "data/shuffle.h"

#include <algorithm>
#include <bit>

#include "core/check.h"
#include "core/mix_bits.h"
#include "data/counter_random.h"

namespace nexa::data {
namespace {

// With fewer bits a half, too few networks exist for a fair choice among the orders.
constexpr unsigned kHalfBitsMin = 4;

unsigned half_bits_for(std::uint64_t size) {
    const auto bits = static_cast<unsigned>(std::bit_width(size == 0 ? 0 : size - 1));
    return std::max(kHalfBitsMin, (bits + 1) / 2);
}

}  // namespace

IndexPermutation::IndexPermutation(std::uint64_t size, std::uint64_t seed)
    : size_(size), half_bits_(half_bits_for(size)), half_mask_((1ULL << half_bits_) - 1) {
    CounterRandom random(seed, size);
    for (std::uint64_t& key : keys_) {
        key = random.next();
    }
}

std::uint64_t IndexPermutation::round_of(int round, std::uint64_t half) const {
    return mix_bits(half ^ keys_[static_cast<std::size_t>(round)]) & half_mask_;
}

std::uint64_t IndexPermutation::forward(std::uint64_t value) const {
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & half_mask_;
    for (int round = 0; round < kRounds; ++round) {
        const std::uint64_t mixed = left ^ round_of(round, right);
        left = right;
        right = mixed;
    }
    return (left << half_bits_) | right;
}

std::uint64_t IndexPermutation::backward(std::uint64_t value) const {
    std::uint64_t left = value >> half_bits_;
    std::uint64_t right = value & half_mask_;
    for (int round = kRounds - 1; round >= 0; --round) {
        const std::uint64_t mixed = right ^ round_of(round, left);
        right = left;
        left = mixed;
    }
    return (left << half_bits_) | right;
}

std::uint64_t IndexPermutation::at(std::uint64_t position) const {
    NEXA_DCHECK(position < size_);
    // The network permutes a larger range; the walk along its cycle ends, at `position` at the
    // latest.
    std::uint64_t value = forward(position);
    while (value >= size_) {
        value = forward(value);
    }
    return value;
}

std::uint64_t IndexPermutation::position_of(std::uint64_t index) const {
    NEXA_DCHECK(index < size_);
    std::uint64_t value = backward(index);
    while (value >= size_) {
        value = backward(value);
    }
    return value;
}

}  // namespace nexa::data
