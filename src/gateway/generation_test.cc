// SPDX-License-Identifier: Apache-2.0
#include "gateway/generation.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "net/pools.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;

protocol::RunnerDelta delta(std::string text, std::int64_t count) {
    return {.id = "g1", .text = std::move(text), .prompt_tokens = 3, .token_count = count};
}

protocol::RunnerDone done(std::string reason, std::int64_t count) {
    return {
        .id = "g1",
        .finish_reason = std::move(reason),
        .prompt_tokens = 3,
        .completion_tokens = count
    };
}

class Generations : public testing::Test {
protected:
    Result<GenerationStep> next() { return net::blocking::wait(io.executor(), generation->next()); }

    net::IoPool io;
    std::shared_ptr<Generation> generation = std::make_shared<Generation>();
};

TEST_F(Generations, TextThatWasNotFetchedIsJoined) {
    generation->append(delta("a", 1));
    generation->append(delta("b", 2));
    const auto step = next();
    ASSERT_TRUE(step);
    EXPECT_EQ(step->text, "ab");
    EXPECT_EQ(step->tokens.prompt, 3);
    EXPECT_EQ(step->tokens.completion, 2);
    EXPECT_FALSE(step->finish_reason);
}

TEST_F(Generations, TheLastStepHasTheReasonAndWhatWasLeft) {
    generation->append(delta("a", 1));
    EXPECT_EQ(next()->text, "a");
    generation->append(delta("b", 2));
    generation->finish(done("length", 2));
    const auto last = next();
    EXPECT_EQ(last->text, "b");
    EXPECT_EQ(last->finish_reason, "length");
    EXPECT_EQ(last->tokens.completion, 2);
}

TEST_F(Generations, AnAnswerWithoutTextEndsToo) {
    generation->finish(done("stop", 0));
    const auto last = next();
    EXPECT_EQ(last->text, "");
    EXPECT_EQ(last->finish_reason, "stop");
}

TEST_F(Generations, WhoWaitsIsWokenByTextAndByTheEnd) {
    for (int i = 1; i <= 200; ++i) {
        auto waiting = std::async(std::launch::async, [this] { return next(); });
        generation->append(delta("x", i));
        EXPECT_EQ(waiting.get()->text, "x");
    }
    auto waiting = std::async(std::launch::async, [this] { return next(); });
    generation->fail(Error::unavailable("gone"));
    EXPECT_EQ(waiting.get().error().code, ErrorCode::kUnavailable);
}

TEST_F(Generations, WhatWasSaidBeforeAnErrorStillCounts) {
    generation->append(delta("half", 1));
    generation->fail(Error::unavailable("gone"));
    const auto half = next();
    ASSERT_TRUE(half);
    EXPECT_EQ(half->text, "half");
    EXPECT_FALSE(half->finish_reason);
    EXPECT_EQ(next().error().message, "gone");
}

TEST_F(Generations, ItEndsOnce) {
    generation->finish(done("stop", 1));
    generation->fail(Error::unavailable("gone"));
    EXPECT_EQ(next()->finish_reason, "stop");

    generation = std::make_shared<Generation>();
    generation->append(delta("half", 1));
    generation->fail(Error::unavailable("first"));
    generation->fail(Error::internal("second"));
    generation->finish(done("stop", 1));
    EXPECT_FALSE(next()->finish_reason);
    EXPECT_EQ(next().error().message, "first");
}

TEST_F(Generations, AWaitThatWasGivenUpLosesNothing) {
    const auto late =
        net::blocking::wait(io.executor(), net::with_deadline(generation->next(), 1ms));
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    generation->append(delta("a", 1));
    EXPECT_EQ(next()->text, "a");
}

TEST_F(Generations, LettingGoStopsItOnce) {
    int stops = 0;
    {
        RunningGeneration running(generation, [&stops] { ++stops; });
        generation->append(delta("a", 1));
        EXPECT_EQ(net::blocking::wait(io.executor(), running.next())->text, "a");
        EXPECT_EQ(stops, 0);
    }
    EXPECT_EQ(stops, 1);
}

}  // namespace
}  // namespace nexa::gateway
