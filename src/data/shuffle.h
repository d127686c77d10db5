// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace nexa::data {

/// A random order of 0 … size-1 that needs no memory: position to index and back by arithmetic.
///
/// Depends on (size, seed) alone, so every thread and every node has the same order, and a reader
/// resumes from one integer, the position. For epochs, give each its own seed. Immutable; any
/// thread may use it. A Feistel network over the next power of four, walked until the value is in
/// range: at most a few steps on average.
class IndexPermutation {
public:
    IndexPermutation(std::uint64_t size, std::uint64_t seed);

    /// The index at `position` < size.
    std::uint64_t at(std::uint64_t position) const;
    /// The position of `index` < size: the inverse of at().
    std::uint64_t position_of(std::uint64_t index) const;
    std::uint64_t size() const { return size_; }

private:
    static constexpr int kRounds = 6;
    std::uint64_t round_of(int round, std::uint64_t half) const;
    std::uint64_t forward(std::uint64_t value) const;
    std::uint64_t backward(std::uint64_t value) const;

    std::uint64_t size_;
    unsigned half_bits_;
    std::uint64_t half_mask_;
    std::array<std::uint64_t, kRounds> keys_{};
};

}  // namespace nexa::data
