// SPDX-License-Identifier: Apache-2.0
#include "core/timeout.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/proves.h"

namespace nexa {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// The count falls when a runaway's thread ends, shortly after its work did.
bool runaways_fall_to(int count) {
    const auto deadline = steady_clock::now() + 60s;
    while (runaway_threads() != count && steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    return runaway_threads() == count;
}

TEST(ExecutionTimeout, AnEndlessTaskThatNeverLooksYieldsDeadlineExceededWithin50Ms) {
    NEXA_PROVES("A-25");
    const auto stop = std::make_shared<std::atomic<bool>>(false);
    // The shortest of a few tries: on a busy machine any one of them may have to wait for a core.
    auto shortest = steady_clock::duration::max();
    for (int tried = 1; tried <= 5 && shortest > 50ms; ++tried) {
        const auto before = steady_clock::now();
        const Status status = execution_timeout(10ms, [stop](const CancelToken&) {
            while (!stop->load()) {
                std::this_thread::yield();
            }
        });
        const auto took = steady_clock::now() - before;
        EXPECT_EQ(status.error().code, ErrorCode::kDeadlineExceeded);
        EXPECT_EQ(status.error().message, "the work did not end within 10 ms");
        EXPECT_GE(took, 10ms);
        EXPECT_EQ(runaway_threads(), tried);
        shortest = std::min(shortest, took);
    }
    EXPECT_LE(shortest, 50ms);
    stop->store(true);
    EXPECT_TRUE(runaways_fall_to(0));
}

TEST(ExecutionTimeout, TellsTheWorkThatItsTimeIsUp) {
    NEXA_PROVES("A-25");
    const auto told = std::make_shared<std::latch>(1);
    const auto result = execution_timeout(1ms, [told](const CancelToken& token) -> Status {
        if (token.wait_until(steady_clock::now() + 60s)) {
            told->count_down();
        }
        return token.check();
    });
    EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
    told->wait();
    EXPECT_TRUE(runaways_fall_to(0));
}

TEST(ExecutionTimeout, HandsOnValuesErrorsAndExceptions) {
    const auto value = execution_timeout(60s, [](const CancelToken& token) {
        return std::make_unique<int>(token.cancelled() ? 0 : 7);
    });
    EXPECT_EQ(**value, 7);
    EXPECT_TRUE(execution_timeout(60s, [](const CancelToken&) {}));
    const auto error = execution_timeout(60s, [](const CancelToken&) -> Result<int> {
        return Error::not_found("no such thing");
    });
    EXPECT_EQ(error.error().code, ErrorCode::kNotFound);
    const auto thrown = execution_timeout(60s, [](const CancelToken&) { return std::stoi("x"); });
    EXPECT_EQ(thrown.error().code, ErrorCode::kInternal);
}

TEST(ExecutionTimeout, TakesWorkThatCanOnlyBeMoved) {
    auto owned = std::make_unique<int>(5);
    const auto result =
        execution_timeout(60s, [owned = std::move(owned)](const CancelToken&) { return *owned; });
    EXPECT_EQ(result.value(), 5);
}

TEST(ExecutionTimeout, WithoutTimeStartsNothing) {
    const auto ran = std::make_shared<std::atomic<bool>>(false);
    for (const std::chrono::microseconds limit : {0us, -1us}) {
        const auto result = execution_timeout(limit, [ran](const CancelToken&) { *ran = true; });
        EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
    }
    EXPECT_FALSE(ran->load());
}

TEST(ExecutionTimeout, TakesTheLongestLimit) {
    EXPECT_TRUE(execution_timeout(std::chrono::microseconds::max(), [](const CancelToken&) {}));
}

TEST(ExecutionTimeout, WhatTheWorkOwnsIsGoneWhenItReturns) {
    const auto owned = std::make_shared<int>(1);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(execution_timeout(60s, [owned](const CancelToken&) {}));
        EXPECT_EQ(owned.use_count(), 1);
    }
}

TEST(ExecutionTimeout, ALateResultIsDropped) {
    const auto release = std::make_shared<std::latch>(1);
    const auto owned = std::make_shared<int>(1);
    const auto result = execution_timeout(1ms, [release, owned](const CancelToken&) {
        release->wait();
        return owned;
    });
    EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
    release->count_down();
    EXPECT_TRUE(runaways_fall_to(0));
}

TEST(ExecutionTimeout, StartsNothingBehind64Runaways) {
    const auto release = std::make_shared<std::latch>(1);
    const auto stuck = [release](const CancelToken&) { release->wait(); };
    for (int i = 0; i < 64; ++i) {
        EXPECT_EQ(execution_timeout(1us, stuck).error().code, ErrorCode::kDeadlineExceeded);
    }
    EXPECT_EQ(runaway_threads(), 64);
    EXPECT_EQ(execution_timeout(60s, stuck).error().code, ErrorCode::kResourceExhausted);
    release->count_down();
    EXPECT_TRUE(runaways_fall_to(0));
    EXPECT_TRUE(execution_timeout(60s, [](const CancelToken&) {}));
}

TEST(ExecutionTimeout, ManyCallersDoNotDisturbEachOther) {
    std::vector<std::jthread> callers;
    for (int which = 0; which < 4; ++which) {
        callers.emplace_back([which] {
            for (int i = 0; i < 50; ++i) {
                const auto result =
                    execution_timeout(60s, [which, i](const CancelToken&) { return which * i; });
                EXPECT_EQ(result.value(), which * i);
            }
        });
    }
}

}  // namespace
}  // namespace nexa
