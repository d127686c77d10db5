// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nexa::training {

/// Which example comes at place `index` of an epoch: a permutation of [0, size), another for each
/// seed and epoch, computed without memory, so a run may go on from any place.
/// `size` is at least 1 and `index` below it.
std::uint64_t shuffled_index(
    std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, std::uint64_t size
);

}  // namespace nexa::training
