// SPDX-License-Identifier: Apache-2.0
#include "data/shuffle.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/mix_bits.h"
#include "data/counter_random.h"

namespace nexa::data {
namespace {

std::vector<std::uint64_t> order_of(std::uint64_t size, std::uint64_t seed) {
    const IndexPermutation permutation(size, seed);
    std::vector<std::uint64_t> order;
    for (std::uint64_t i = 0; i < size; ++i) {
        order.push_back(permutation.at(i));
    }
    return order;
}

TEST(IndexPermutation, IsABijectionWithItsInverseForEverySmallSize) {
    for (std::uint64_t size = 0; size <= 600; ++size) {
        const IndexPermutation permutation(size, size * 7);
        std::vector<bool> seen(size, false);
        for (std::uint64_t i = 0; i < size; ++i) {
            const std::uint64_t index = permutation.at(i);
            ASSERT_LT(index, size);
            ASSERT_FALSE(seen[index]);
            seen[index] = true;
            ASSERT_EQ(permutation.position_of(index), i);
        }
    }
}

TEST(IndexPermutation, SameSeedGivesTheSameOrderAndOtherSeedsDiffer) {
    EXPECT_EQ(order_of(1000, 1), order_of(1000, 1));
    std::set<std::vector<std::uint64_t>> orders;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        orders.insert(order_of(1000, seed));
    }
    EXPECT_EQ(orders.size(), 100U);
}

TEST(IndexPermutation, ReachesHugeSizesWithoutMemory) {
    for (const std::uint64_t size : {(1ULL << 32U) + 1, (1ULL << 56U), ~0ULL}) {
        const IndexPermutation permutation(size, 5);
        for (std::uint64_t i = 0; i < 2000; ++i) {
            const std::uint64_t position = mix_bits(i) % size;
            ASSERT_LT(permutation.at(position), size);
            ASSERT_EQ(permutation.position_of(permutation.at(position)), position);
        }
    }
}

// Where index 0 lands, over many seeds: a chi-square test with 15 degrees of freedom, whose value
// exceeds 37.7 once in a thousand.
TEST(IndexPermutation, EveryPositionIsAsLikely) {
    constexpr int kSeeds = 16000;
    std::array<int, 16> counts{};
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        ++counts[IndexPermutation(16, seed).position_of(0)];
    }
    double chi_square = 0;
    for (const int count : counts) {
        constexpr double kExpected = kSeeds / 16.0;
        chi_square += (count - kExpected) * (count - kExpected) / kExpected;
    }
    EXPECT_LT(chi_square, 37.7);
}

TEST(IndexPermutation, NeighborsPart) {
    const auto order = order_of(10000, 3);
    int stayed_together = 0;
    double displacement = 0;
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        stayed_together += order[i + 1] == order[i] + 1 ? 1 : 0;
        displacement += std::abs(static_cast<double>(order[i]) - static_cast<double>(i));
    }
    EXPECT_LE(stayed_together, 8);                               // one is expected
    EXPECT_NEAR(displacement / 10000 / (10000 / 3.0), 1, 0.03);  // a third of the size
}

TEST(CounterRandom, BelowIsUniformAndDependsOnSeedAndCounterOnly) {
    std::array<int, 5> counts{};
    for (std::uint64_t counter = 0; counter < 50000; ++counter) {
        CounterRandom random(9, counter);
        const std::uint64_t value = random.below(5);
        ASSERT_LT(value, 5U);
        ++counts[value];
        EXPECT_EQ(CounterRandom(9, counter).below(5), value);
    }
    for (const int count : counts) {
        EXPECT_NEAR(count, 10000, 500);
    }
    EXPECT_NE(CounterRandom(9, 0).next(), CounterRandom(10, 0).next());
    EXPECT_NE(CounterRandom(9, 0).next(), CounterRandom(9, 1).next());
}

}  // namespace
}  // namespace nexa::data
