// SPDX-License-Identifier: Apache-2.0
#include "engine/training/order.h"

#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace nexa::training {
namespace {

std::vector<std::uint64_t> epoch(std::uint64_t seed, std::uint64_t number, std::uint64_t size) {
    std::vector<std::uint64_t> order;
    for (std::uint64_t i = 0; i < size; ++i) {
        order.push_back(shuffled_index(seed, number, i, size));
    }
    return order;
}

TEST(ShuffledIndex, IsAPermutationForEverySize) {
    for (std::uint64_t size = 1; size <= 300; ++size) {
        const auto order = epoch(1, 2, size);
        const std::set<std::uint64_t> distinct(order.begin(), order.end());
        EXPECT_EQ(distinct.size(), size);
        EXPECT_EQ(*distinct.rbegin(), size - 1);
    }
}

TEST(ShuffledIndex, DiffersBetweenSeedsAndEpochsAndRepeats) {
    EXPECT_EQ(epoch(1, 0, 100), epoch(1, 0, 100));
    EXPECT_NE(epoch(1, 0, 100), epoch(1, 1, 100));
    EXPECT_NE(epoch(1, 0, 100), epoch(2, 0, 100));
}

TEST(ShuffledIndex, PutsEveryExampleEverywhereAboutEquallyOften) {
    constexpr std::uint64_t kSize = 10;
    constexpr std::uint64_t kEpochs = 5000;
    std::vector<std::vector<int>> counts(kSize, std::vector<int>(kSize));
    for (std::uint64_t number = 0; number < kEpochs; ++number) {
        for (std::uint64_t i = 0; i < kSize; ++i) {
            ++counts[i][shuffled_index(7, number, i, kSize)];
        }
    }
    // 500 expected; a deviation is 21.
    for (const auto& row : counts) {
        for (const int count : row) {
            EXPECT_NEAR(count, 500, 105);
        }
    }
}

TEST(ShuffledIndex, NeighborsDoNotStayNeighbors) {
    const auto order = epoch(3, 0, 10'000);
    int adjacent = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        adjacent += order[i] == order[i - 1] + 1 ? 1 : 0;
    }
    EXPECT_LT(adjacent, 10);
}

TEST(ShuffledIndex, ServesSizesThatNoMemoryHolds) {
    const std::uint64_t size = (std::uint64_t{1} << 62) + 5;
    EXPECT_LT(shuffled_index(1, 0, size - 1, size), size);
    EXPECT_NE(shuffled_index(1, 0, 0, size), shuffled_index(1, 0, 1, size));
}

}  // namespace
}  // namespace nexa::training
