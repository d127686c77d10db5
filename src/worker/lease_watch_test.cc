// SPDX-License-Identifier: Apache-2.0
#include "worker/lease_watch.h"

#include <gtest/gtest.h>

namespace nexa::worker {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

TEST(LeaseWatch, IsOverAMarginBeforeTheLeaseEnds) {
    const LeaseWatch watch(60s, kStart);
    EXPECT_FALSE(watch.is_over(kStart + 50s - 1ms));
    EXPECT_TRUE(watch.is_over(kStart + 50s));
}

TEST(LeaseWatch, MarginOfAShortLeaseIsASixth) {
    EXPECT_EQ(LeaseWatch(6s, kStart).fence_at(), kStart + 5s);
    EXPECT_EQ(LeaseWatch(600s, kStart).fence_at(), kStart + 590s);
}

TEST(LeaseWatch, RenewalCountsFromWhenItWasAskedFor) {
    LeaseWatch watch(60s, kStart);
    watch.renewed(kStart + 20s);
    EXPECT_EQ(watch.fence_at(), kStart + 70s);
    watch.renewed(kStart + 10s);  // an older answer that came late
    EXPECT_EQ(watch.fence_at(), kStart + 70s);
}

TEST(LeaseWatch, LeaseOfNothingIsOverAtOnce) {
    EXPECT_TRUE(LeaseWatch(0s, kStart).is_over(kStart));
}

TEST(ReportPace, WithoutNewsAThirdOfTheLeasePasses) {
    ReportPace pace;
    pace.sent(kStart);
    EXPECT_EQ(pace.next_at(60s, false), kStart + 20s);
}

TEST(ReportPace, NewsGoAtOnceButNotTwiceWithinTheInterval) {
    ReportPace pace;
    EXPECT_LT(pace.next_at(60s, true), kStart);
    pace.sent(kStart);
    EXPECT_EQ(pace.next_at(60s, true), kStart + 200ms);
}

TEST(ReportPace, FailuresAreFollowedByGrowingPausesBelowASixth) {
    ReportPace pace;
    pace.sent(kStart);
    pace.failed();
    EXPECT_EQ(pace.next_at(60s, true), kStart + 400ms);
    pace.failed();
    EXPECT_EQ(pace.next_at(60s, false), kStart + 800ms);
    for (int i = 0; i < 100; ++i) {
        pace.failed();
    }
    EXPECT_EQ(pace.next_at(60s, false), kStart + 10s);
    pace.succeeded();
    EXPECT_EQ(pace.next_at(60s, false), kStart + 20s);
}

}  // namespace
}  // namespace nexa::worker
