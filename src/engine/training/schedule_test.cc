// SPDX-License-Identifier: Apache-2.0
#include "engine/training/schedule.h"

#include <gtest/gtest.h>

namespace nexa::training {
namespace {

constexpr Schedule kSchedule{
    .peak = 1.0, .final_ratio = 0.1, .warmup_steps = 4, .total_steps = 104
};

TEST(Schedule, ClimbsInEqualStepsToThePeak) {
    EXPECT_NEAR(learning_rate_at(kSchedule, 0), 0.2, 1e-12);
    EXPECT_NEAR(learning_rate_at(kSchedule, 3), 0.8, 1e-12);
    EXPECT_NEAR(learning_rate_at(kSchedule, 4), 1.0, 1e-12);
}

TEST(Schedule, FallsAsACosineToItsFinalShare) {
    EXPECT_NEAR(learning_rate_at(kSchedule, 54), 0.55, 1e-12);
    EXPECT_NEAR(learning_rate_at(kSchedule, 104), 0.1, 1e-12);
    EXPECT_NEAR(learning_rate_at(kSchedule, 1000), 0.1, 1e-12);
    for (std::int64_t step = 4; step < 104; ++step) {
        EXPECT_GT(learning_rate_at(kSchedule, step), learning_rate_at(kSchedule, step + 1));
    }
}

TEST(Schedule, IsDefinedWhereWarmUpOutlastsTheRun) {
    const Schedule schedule{.peak = 1.0, .final_ratio = 0.0, .warmup_steps = 10, .total_steps = 5};
    EXPECT_NEAR(learning_rate_at(schedule, 4), 5.0 / 11.0, 1e-12);
    const Schedule single{.peak = 1.0, .final_ratio = 0.0, .warmup_steps = 0, .total_steps = 1};
    EXPECT_EQ(learning_rate_at(single, 0), 1.0);
}

}  // namespace
}  // namespace nexa::training
