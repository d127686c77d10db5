// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <array>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

using fakes::ManualClock;
using fakes::SeededRandom;
using namespace std::chrono_literals;

/// Gives out a fixed list of 64-bit numbers.
class ListedRandom final : public Random {
public:
    explicit ListedRandom(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
    void fill(std::span<std::byte> bytes) override {
        ASSERT_EQ(bytes.size(), sizeof(std::uint64_t));
        const auto source = std::as_bytes(std::span(&values_.at(used), 1));
        std::copy(source.begin(), source.end(), bytes.begin());
        ++used;
    }
    std::size_t used = 0;

private:
    std::vector<std::uint64_t> values_;
};

TEST(Random, UniformThrowsAwayTheValuesThatWouldBias) {
    // 2^64 mod 6 = 4: the draws 0 to 3 are refused.
    ListedRandom random({0, 3, 4, 11, ~std::uint64_t{0}});
    EXPECT_EQ(random.uniform(6), 4U);
    EXPECT_EQ(random.used, 3U);
    EXPECT_EQ(random.uniform(6), 5U);
    EXPECT_EQ(random.uniform(6), 3U);  // 2^64 - 1 = 6 * k + 3
    EXPECT_EQ(random.used, 5U);
}

TEST(Random, UniformOfOneIsZeroAndOfAPowerOfTwoRefusesNothing) {
    ListedRandom random({0, 0, 7});
    EXPECT_EQ(random.uniform(1), 0U);
    EXPECT_EQ(random.uniform(4), 0U);
    EXPECT_EQ(random.uniform(4), 3U);
    EXPECT_EQ(random.used, 3U);
}

TEST(Random, UniformCoversItsRangeEvenly) {
    SeededRandom random(42);
    std::array<int, 10> counts{};
    for (int i = 0; i < 100'000; ++i) {
        ++counts.at(random.uniform(10));
    }
    for (const int count : counts) {
        EXPECT_NEAR(count, 10'000, 500);  // five standard deviations
    }
}

TEST(Random, UniformWorksUpToTheLargestBound) {
    SeededRandom random(7);
    constexpr std::uint64_t kBound = (std::uint64_t{1} << 63) + 1;
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_LT(random.uniform(kBound), kBound);
    }
}

TEST(Random, UnitStaysBelowOne) {
    ListedRandom random({0, ~std::uint64_t{0}});
    EXPECT_EQ(random.unit(), 0.0);
    const double largest = random.unit();
    EXPECT_LT(largest, 1.0);
    EXPECT_GT(largest, 0.999'999'999'999);
}

TEST(RandomDeathTest, UniformOfNothingIsABug) {
    SeededRandom random;
    EXPECT_DEATH(static_cast<void>(random.uniform(0)), "bound > 0");
}

TEST(SystemRandom, FillsEveryLengthAndNeverRepeats) {
    SystemRandom random;
    random.fill({});
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_TRUE(seen.insert(random.next()).second);
    }
    // getrandom gives at most 32 MiB - 1 a call, and may be interrupted above 256 bytes.
    std::vector<std::byte> large((std::size_t{1} << 25) + 17);
    random.fill(large);
    const auto tail = std::span(large).last(32);
    EXPECT_NE(std::count(tail.begin(), tail.end(), std::byte{0}), 32);
}

TEST(SeededRandom, GivesTheSameNumbersForTheSameSeed) {
    SeededRandom one(5);
    SeededRandom two(5);
    SeededRandom other(6);
    const std::uint64_t first = one.next();
    EXPECT_EQ(first, two.next());
    EXPECT_NE(first, other.next());
    EXPECT_NE(one.next(), first);
    EXPECT_EQ(SeededRandom(0).next(), 0xe220a8397b1dcdafU);  // the published first output
}

TEST(SeededRandom, FillsLengthsThatAreNoMultipleOfEight) {
    SeededRandom words(9);
    SeededRandom bytes(9);
    std::array<std::byte, 11> buffer{};
    bytes.fill(buffer);
    const std::array<std::uint64_t, 2> expected{words.next(), words.next()};
    EXPECT_TRUE(std::equal(buffer.begin(), buffer.end(), std::as_bytes(std::span(expected)).begin())
    );
}

TEST(SeededRandom, GivesEachNumberToOneThreadOnly) {
    SeededRandom random(3);
    std::array<std::vector<std::uint64_t>, 4> drawn;
    {
        std::vector<std::jthread> threads;
        for (auto& mine : drawn) {
            threads.emplace_back([&mine, &random] {
                for (int i = 0; i < 1'000; ++i) {
                    mine.push_back(random.next());
                }
            });
        }
    }
    std::set<std::uint64_t> all;
    for (const auto& mine : drawn) {
        all.insert(mine.begin(), mine.end());
    }
    EXPECT_EQ(all.size(), 4'000U);
}

TEST(ManualClock, StandsStillUntilAdvanced) {
    ManualClock clock;
    EXPECT_EQ(to_rfc3339(clock.now()), "2025-11-20T19:00:00.000Z");
    const auto steady = clock.steady_now();
    EXPECT_EQ(clock.now(), ManualClock::kStart);
    clock.advance(1500ms);
    EXPECT_EQ(clock.now() - ManualClock::kStart, 1500ms);
    EXPECT_EQ(clock.steady_now() - steady, 1500ms);
}

TEST(ManualClock, SteadyTimeIgnoresAChangedWallClock) {
    ManualClock clock(Timestamp{5s});
    EXPECT_EQ(clock.now(), Timestamp{5s});
    const auto steady = clock.steady_now();
    clock.set_wall(Timestamp{1s});
    EXPECT_EQ(clock.now(), Timestamp{1s});
    EXPECT_EQ(clock.steady_now(), steady);
}

}  // namespace
}  // namespace nexa
