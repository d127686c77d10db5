// SPDX-License-Identifier: Apache-2.0
#include "core/circuit_breaker.h"

#include <vector>

#include <gtest/gtest.h>

#include "fakes/manual_clock.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

using namespace std::chrono_literals;
using Permit = CircuitBreaker::Permit;

constexpr auto kPause = 30s;

class CircuitBreakerTest : public ::testing::Test {
protected:
    fakes::ManualClock clock;
    CircuitBreaker breaker{{.failures_to_open = 3, .pause = kPause}};

    CircuitBreaker::Time now() const { return clock.steady_now(); }
    CircuitState state(std::string_view key = "host") { return breaker.state(key, now()); }
    Result<Permit> admit(std::string_view key = "host") { return breaker.admit(key, now()); }
    void fail(std::string_view key = "host") { breaker.failed(admit(key).value(), now()); }
    void succeed(std::string_view key = "host") { breaker.succeeded(admit(key).value()); }
    void open(std::string_view key = "host") {
        for (int i = 0; i < 3; ++i) {
            fail(key);
        }
        ASSERT_EQ(state(key), CircuitState::kOpen);
    }
    bool refused(std::string_view key = "host") {
        const auto permit = admit(key);
        return !permit && permit.error().code == ErrorCode::kUnavailable;
    }
};

TEST_F(CircuitBreakerTest, ClosedOpensAfterFailuresTriesAfterThePauseAndClosesOnSuccess) {
    NEXA_PROVES("A-24");
    EXPECT_EQ(state(), CircuitState::kClosed);
    fail();
    fail();
    EXPECT_EQ(state(), CircuitState::kClosed);
    fail();
    EXPECT_EQ(state(), CircuitState::kOpen);
    EXPECT_TRUE(refused());

    clock.advance(kPause - 1us);
    EXPECT_EQ(state(), CircuitState::kOpen);
    EXPECT_TRUE(refused());
    clock.advance(1us);
    EXPECT_EQ(state(), CircuitState::kHalfOpen);
    const Permit probe = admit().value();
    EXPECT_TRUE(refused());
    EXPECT_EQ(state(), CircuitState::kHalfOpen);

    breaker.succeeded(probe);
    EXPECT_EQ(state(), CircuitState::kClosed);
    EXPECT_TRUE(admit());
    EXPECT_EQ(breaker.key_count(), 0U);
}

TEST_F(CircuitBreakerTest, AFailedProbeOpensForAnotherWholePause) {
    NEXA_PROVES("A-24");
    open();
    clock.advance(kPause);
    const Permit probe = admit().value();
    clock.advance(10s);
    breaker.failed(probe, now());
    EXPECT_EQ(state(), CircuitState::kOpen);
    clock.advance(kPause - 1us);
    EXPECT_TRUE(refused());
    clock.advance(1us);
    EXPECT_TRUE(admit());
}

TEST_F(CircuitBreakerTest, OnlyFailuresInARowCount) {
    for (int i = 0; i < 10; ++i) {
        fail();
        fail();
        succeed();
    }
    EXPECT_EQ(state(), CircuitState::kClosed);
    EXPECT_EQ(breaker.key_count(), 0U);
}

TEST_F(CircuitBreakerTest, RefusalsSayWhyAndWhenToComeBack) {
    open();
    clock.advance(12'345'600us);
    const Error error = admit().error();
    EXPECT_EQ(error.message, "calls to 'host' are stopped after 3 failures in a row");
    EXPECT_EQ(error.advice, "it is tried again in 17655 ms");
}

TEST_F(CircuitBreakerTest, CallsInFlightWhenItOpensAllCountOnce) {
    const std::vector<Permit> early{
        admit().value(), admit().value(), admit().value(), admit().value()
    };
    for (const Permit& permit : early) {
        breaker.failed(permit, now());
    }
    EXPECT_EQ(state(), CircuitState::kOpen);
    EXPECT_EQ(admit().error().message, "calls to 'host' are stopped after 3 failures in a row");
}

TEST_F(CircuitBreakerTest, OutcomesFromBeforeTheLastChangeAreIgnored) {
    const Permit before = admit().value();
    open();
    breaker.succeeded(before);
    EXPECT_EQ(state(), CircuitState::kOpen);

    clock.advance(kPause);
    const Permit probe = admit().value();
    breaker.succeeded(before);
    breaker.failed(before, now());
    EXPECT_EQ(state(), CircuitState::kHalfOpen);
    breaker.succeeded(probe);
    EXPECT_EQ(state(), CircuitState::kClosed);

    open();
    breaker.succeeded(probe);
    EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, LetsOnlySoManyProbesOutAtATime) {
    breaker = CircuitBreaker({.failures_to_open = 3, .pause = kPause, .probes_max = 2});
    open();
    clock.advance(kPause);
    const Permit one = admit().value();
    const Permit two = admit().value();
    EXPECT_TRUE(refused());
    breaker.abandoned(one);
    const Permit three = admit().value();
    EXPECT_TRUE(refused());
    breaker.failed(two, now());
    EXPECT_EQ(state(), CircuitState::kOpen);
    breaker.succeeded(three);
    EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, AProbeThatNeverAnswersIsReplacedAfterAPause) {
    open();
    clock.advance(kPause);
    const Permit lost = admit().value();
    clock.advance(kPause - 1us);
    EXPECT_TRUE(refused());
    clock.advance(1us);
    const Permit next = admit().value();
    breaker.failed(lost, now());
    breaker.abandoned(lost);
    EXPECT_EQ(state(), CircuitState::kHalfOpen);
    EXPECT_TRUE(refused());
    breaker.succeeded(next);
    EXPECT_EQ(state(), CircuitState::kClosed);
}

TEST_F(CircuitBreakerTest, KeysAreApart) {
    open("a");
    EXPECT_EQ(state("b"), CircuitState::kClosed);
    EXPECT_TRUE(admit("b"));
    EXPECT_TRUE(refused("a"));
    EXPECT_EQ(breaker.key_count(), 1U);
}

TEST_F(CircuitBreakerTest, AbandoningACallOfAClosedCircuitChangesNothing) {
    breaker.abandoned(admit().value());
    fail();
    breaker.abandoned(admit().value());
    fail();
    fail();
    EXPECT_EQ(state(), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, ForgetsTheLongestUntouchedKeyAndClosedOnesFirst) {
    breaker = CircuitBreaker({.failures_to_open = 2, .pause = kPause, .keys_max = 2});
    fail("open");
    fail("open");
    clock.advance(1s);
    fail("closed");
    clock.advance(1s);
    fail("new");
    EXPECT_EQ(breaker.key_count(), 2U);
    EXPECT_EQ(state("open"), CircuitState::kOpen);
    fail("new");
    EXPECT_EQ(state("new"), CircuitState::kOpen);
    fail("another");
    EXPECT_EQ(breaker.key_count(), 2U);
    EXPECT_EQ(state("open"), CircuitState::kClosed);
    EXPECT_EQ(state("new"), CircuitState::kOpen);
}

TEST_F(CircuitBreakerTest, StaysBoundedAndInOneOfItsStatesUnderRandomUse) {
    breaker = CircuitBreaker({.failures_to_open = 2, .pause = 5s, .probes_max = 2, .keys_max = 4});
    fakes::SeededRandom random(17);
    std::vector<Permit> out;
    for (int i = 0; i < 50'000; ++i) {
        clock.advance(std::chrono::milliseconds(random.uniform(1'000)));
        const std::string key(1, static_cast<char>('a' + random.uniform(8)));
        if (auto permit = admit(key)) {
            out.push_back(*permit);
        } else {
            EXPECT_NE(state(key), CircuitState::kClosed);
        }
        if (out.empty() || random.uniform(3) == 0) {
            continue;
        }
        std::swap(out[random.uniform(out.size())], out.back());
        switch (random.uniform(3)) {
            case 0:
                breaker.succeeded(out.back());
                break;
            case 1:
                breaker.failed(out.back(), now());
                break;
            default:
                breaker.abandoned(out.back());
        }
        out.pop_back();
        ASSERT_LE(breaker.key_count(), 4U);
    }
}

TEST(CircuitBreakerDeathTest, OptionsThatCannotWorkAreBugs) {
    EXPECT_DEATH(CircuitBreaker({.failures_to_open = 0}), "failures_to_open");
    EXPECT_DEATH(CircuitBreaker({.probes_max = 0}), "probes_max");
    EXPECT_DEATH(CircuitBreaker({.keys_max = 0}), "keys_max");
}

}  // namespace
}  // namespace nexa
