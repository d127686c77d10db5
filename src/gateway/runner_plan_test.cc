// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_plan.h"

#include <gtest/gtest.h>

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
using Decision = RunnerPlan::Decision;

constexpr RunnerPlan::Time kStart{1h};
const ExitStatus kKilled{.signal = 9};

ExitStatus exited(int code) {
    return {.exit_code = code};
}

TEST(RunnerPlan, PausesDoubleUpToTheCapAndTheThirdFailureInARowCounts) {
    RunnerPlan plan({.base = 500ms, .cap = 3s, .failures_max = 3});
    EXPECT_EQ(plan.ended(kKilled, kStart), (Decision{500ms, false}));
    EXPECT_EQ(plan.ended(kKilled, kStart), (Decision{1s, false}));
    EXPECT_EQ(plan.ended(kKilled, kStart), (Decision{2s, true}));
    EXPECT_EQ(plan.ended(kKilled, kStart), (Decision{3s, true}));
    EXPECT_EQ(plan.ended(kKilled, kStart), (Decision{3s, true}));
}

TEST(RunnerPlan, ARunnerThatWasSteadyStartsTheCountAnew) {
    RunnerPlan plan({.base = 500ms, .steady = 60s});
    plan.ended(kKilled, kStart);
    plan.ended(kKilled, kStart);
    plan.became_ready(kStart);
    EXPECT_EQ(plan.ended(kKilled, kStart + 60s), (Decision{500ms, false}));
    EXPECT_EQ(plan.ended(kKilled, kStart + 61s), (Decision{1s, false}));
}

TEST(RunnerPlan, ARunnerThatServedForLessDoesNot) {
    RunnerPlan plan({.base = 500ms, .steady = 60s, .failures_max = 3});
    for (int i = 0; i < 2; ++i) {
        plan.became_ready(kStart);
        EXPECT_FALSE(plan.ended(kKilled, kStart + 59s).is_failed);
    }
    plan.became_ready(kStart);
    EXPECT_EQ(plan.ended(kKilled, kStart + 60s - 1ns), (Decision{2s, true}));
}

TEST(RunnerPlan, AModelThatIsToBlameIsNotTriedAgain) {
    for (const ErrorCode code :
         {ErrorCode::kMalformed, ErrorCode::kInvalidArgument, ErrorCode::kNotFound}) {
        RunnerPlan plan;
        EXPECT_EQ(
            plan.ended(exited(row_of(code).exit_code), kStart), (Decision{std::nullopt, true})
        );
    }
}

TEST(RunnerPlan, WhatMayPassIsTriedAgain) {
    const std::optional<ExitStatus> ends[] = {
        std::nullopt,
        kKilled,
        exited(0),
        exited(row_of(ErrorCode::kInternal).exit_code),
        exited(row_of(ErrorCode::kUnavailable).exit_code),
        exited(row_of(ErrorCode::kResourceExhausted).exit_code),
        exited(row_of(ErrorCode::kCancelled).exit_code),
        exited(127),
    };
    for (const auto& end : ends) {
        RunnerPlan plan;
        EXPECT_EQ(plan.ended(end, kStart), (Decision{500ms, false}));
    }
}

TEST(RunnerPlan, OnceItHasServedTheModelIsNotToBlame) {
    RunnerPlan plan;
    plan.became_ready(kStart);
    const ExitStatus bad = exited(row_of(ErrorCode::kMalformed).exit_code);
    EXPECT_TRUE(plan.ended(bad, kStart + 1s).pause);
    EXPECT_FALSE(plan.ended(bad, kStart + 2s).pause);  // it did not serve this time
}

}  // namespace
}  // namespace nexa::gateway
