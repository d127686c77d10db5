// SPDX-License-Identifier: Apache-2.0
#include "accounts/rate_limiter.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/manual_clock.h"
#include "fakes/proves.h"

namespace nexa::accounts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RateLimiterTest : public ::testing::Test {
protected:
    bool take(const char* name, const Rate& rate) { return limiter.take(name, rate).allowed; }

    fakes::ManualClock clock;
    RateLimiter limiter{clock, 3};
};

TEST_F(RateLimiterTest, FiveASecondAreFiveAtOnceAndTheSixthWaits) {
    NEXA_PROVES("F-85");
    const Rate five = Rate::of(5);
    for (std::uint64_t left = 5; left-- > 0;) {
        const RateVerdict verdict = limiter.take("key_1", five);
        EXPECT_TRUE(verdict.allowed);
        EXPECT_EQ(verdict.limit, 5U);
        EXPECT_EQ(verdict.remaining, left);
    }
    const RateVerdict sixth = limiter.take("key_1", five);
    EXPECT_FALSE(sixth.allowed);
    EXPECT_EQ(sixth.remaining, 0U);
    EXPECT_EQ(sixth.retry_after, seconds{1});
    EXPECT_TRUE(take("key_2", five));
}

TEST_F(RateLimiterTest, ABucketFillsAtItsRateAndNoFurtherThanItsBurst) {
    const Rate five = Rate::of(5);
    while (take("a", five)) {
    }
    clock.advance(milliseconds{199});
    EXPECT_FALSE(take("a", five));
    clock.advance(milliseconds{1});
    EXPECT_TRUE(take("a", five));
    EXPECT_FALSE(take("a", five));
    clock.advance(seconds{3600});
    EXPECT_EQ(limiter.take("a", five).remaining, 4U);
}

TEST_F(RateLimiterTest, TheWaitThatIsNamedIsEnoughAndNotMuchMore) {
    const Rate slow = Rate::of(0.3);
    EXPECT_TRUE(take("a", slow));
    const RateVerdict refused = limiter.take("a", slow);
    EXPECT_EQ(refused.retry_after, seconds{4});
    clock.advance(refused.retry_after);
    EXPECT_TRUE(take("a", slow));
}

TEST_F(RateLimiterTest, WhatIsGivenBackDidNotCount) {
    const Rate one = Rate::of(1);
    EXPECT_TRUE(take("a", one));
    limiter.give_back("a", one);
    EXPECT_TRUE(take("a", one));
    EXPECT_FALSE(take("a", one));
    limiter.give_back("a", one);
    limiter.give_back("a", one);
    EXPECT_TRUE(take("a", one));
    EXPECT_FALSE(take("a", one));
}

TEST_F(RateLimiterTest, NoMoreBucketsAreKeptThanWereAllowedAndTheOldestGoes) {
    const Rate one = Rate::of(1);
    EXPECT_TRUE(take("a", one));
    EXPECT_TRUE(take("b", one));
    EXPECT_TRUE(take("c", one));
    EXPECT_FALSE(take("a", one));
    EXPECT_TRUE(take("d", one));  // pushes b out
    EXPECT_FALSE(take("a", one));
    EXPECT_TRUE(take("b", one));
}

TEST_F(RateLimiterTest, ManyThreadsTogetherGetTheBurstAndNotOneMore) {
    const Rate rate{.per_second = 1, .burst = 1000};
    std::atomic<int> allowed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 500; ++n) {
                allowed += take("a", rate) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(allowed, 1000);
}

}  // namespace
}  // namespace nexa::accounts
