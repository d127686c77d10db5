// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>

#include "core/random.h"

namespace nexa::fakes {

/// The same numbers for the same seed, on every machine: SplitMix64. Thread-safe; which thread gets
/// which number is then up to the scheduler. Never for secrets.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}

    /// Each call starts with a fresh 64-bit number, written little-endian.
    void fill(std::span<std::byte> bytes) override {
        while (!bytes.empty()) {
            const auto word = std::bit_cast<std::array<std::byte, 8>>(step());
            const std::size_t taken = std::min(word.size(), bytes.size());
            std::copy_n(word.begin(), taken, bytes.begin());
            bytes = bytes.subspan(taken);
        }
    }

private:
    static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;

    std::uint64_t step() {
        std::uint64_t mixed = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    std::atomic<std::uint64_t> state_;
};

}  // namespace nexa::fakes
