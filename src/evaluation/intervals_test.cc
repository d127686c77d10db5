// SPDX-License-Identifier: Apache-2.0
#include "evaluation/intervals.h"

#include <vector>

#include <gtest/gtest.h>

#include "data/counter_random.h"

namespace nexa::evaluation {
namespace {

TEST(WilsonInterval, IsWhatTheFormulaGives) {
    const auto near = [](Interval interval, double low, double high) {
        EXPECT_NEAR(interval.low, low, 1e-12);
        EXPECT_NEAR(interval.high, high, 1e-12);
    };
    near(wilson_interval(8, 10), 0.4901624715366418, 0.9433178485456248);
    near(wilson_interval(50, 100), 0.4038315303659956, 0.5961684696340044);
    near(wilson_interval(992, 1000), 0.9842936654690199, 0.995940804181194);
    near(wilson_interval(0, 10), 0, 0.2775327998628892);
    near(wilson_interval(10, 10), 0.7224672001371107, 1);
    near(wilson_interval(1, 1), 0.20654931437723745, 1);
}

TEST(WilsonInterval, OfNothingIsEverything) {
    EXPECT_EQ(wilson_interval(0, 0), (Interval{.low = 0, .high = 1}));
}

TEST(WilsonInterval, StaysWithinZeroAndOneAndAroundTheShare) {
    for (std::int64_t trials = 1; trials < 200; ++trials) {
        for (std::int64_t right = 0; right <= trials; ++right) {
            const Interval interval = wilson_interval(right, trials);
            const double share = static_cast<double>(right) / static_cast<double>(trials);
            ASSERT_TRUE(0 <= interval.low && interval.high <= 1) << right << " of " << trials;
            ASSERT_TRUE(interval.low <= share && share <= interval.high)
                << right << " of " << trials;
        }
    }
}

std::vector<RatioSample> noisy(std::size_t count, std::uint64_t seed) {
    std::vector<RatioSample> pieces;
    data::CounterRandom random(seed, 0);
    for (std::size_t i = 0; i < count; ++i) {
        const double tokens = 50 + 100 * random.unit();
        pieces.push_back({tokens * (1.5 + random.unit()), tokens});
    }
    return pieces;
}

double ratio_of(const std::vector<RatioSample>& pieces) {
    double numerator = 0;
    double denominator = 0;
    for (const RatioSample& piece : pieces) {
        numerator += piece.numerator;
        denominator += piece.denominator;
    }
    return numerator / denominator;
}

TEST(RatioInterval, OnePieceSaysNothing) {
    EXPECT_FALSE(ratio_interval({}, 1));
    const std::vector<RatioSample> one{{2, 1}};
    EXPECT_FALSE(ratio_interval(one, 1));
}

TEST(RatioInterval, EqualPiecesLeaveNoDoubt) {
    const std::vector<RatioSample> equal(20, {3, 2});
    const auto interval = ratio_interval(equal, 1);
    ASSERT_TRUE(interval);
    EXPECT_DOUBLE_EQ(interval->low, 1.5);
    EXPECT_DOUBLE_EQ(interval->high, 1.5);
}

TEST(RatioInterval, FollowsFromItsSeed) {
    const auto pieces = noisy(50, 7);
    EXPECT_EQ(ratio_interval(pieces, 1), ratio_interval(pieces, 1));
    EXPECT_NE(ratio_interval(pieces, 1), ratio_interval(pieces, 2));
}

TEST(RatioInterval, HoldsTheTrueRatioAboutNineteenTimesInTwenty) {
    int held = 0;
    constexpr int kTrials = 200;
    for (int trial = 0; trial < kTrials; ++trial) {
        const auto interval =
            ratio_interval(noisy(40, 1000 + static_cast<std::uint64_t>(trial)), 3).value();
        held += interval.low <= 2.0 && 2.0 <= interval.high ? 1 : 0;
    }
    EXPECT_GE(held, 180);
    EXPECT_LE(held, 199);
}

TEST(RatioInterval, BootstrapAndNormalApproximationAgreeWhereOneTakesOver) {
    auto pieces = noisy(10'001, 5);
    const auto normal = ratio_interval(pieces, 1).value();
    pieces.pop_back();
    const auto bootstrap = ratio_interval(pieces, 1).value();
    const double width = normal.high - normal.low;
    EXPECT_NEAR(ratio_of(pieces), 2.0, 0.02);
    EXPECT_NEAR(bootstrap.low, normal.low, width * 0.15);
    EXPECT_NEAR(bootstrap.high, normal.high, width * 0.15);
}

}  // namespace
}  // namespace nexa::evaluation
