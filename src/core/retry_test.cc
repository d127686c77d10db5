// SPDX-License-Identifier: Apache-2.0
#include "core/retry.h"

#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/manual_clock.h"
#include "fakes/manual_sleeper.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"

namespace nexa {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;

/// Always draws the largest or the smallest number.
class EdgeRandom final : public Random {
public:
    explicit EdgeRandom(std::uint64_t bound) : value_(bound) {}
    void fill(std::span<std::byte> bytes) override {
        const auto source = std::as_bytes(std::span(&value_, 1));
        std::copy_n(source.begin(), bytes.size(), bytes.begin());
    }

private:
    std::uint64_t value_;
};

class RetryTest : public ::testing::Test {
protected:
    fakes::ManualClock clock;
    fakes::SeededRandom random;
    fakes::ManualSleeper sleeper{clock};
    RetryTools tools{clock, random, sleeper};

    /// The delays of a policy until it gives up.
    std::vector<microseconds> delays(const RetryPolicy& policy, Random& source) {
        Backoff backoff(policy, source, clock.steady_now());
        std::vector<microseconds> result;
        while (const auto delay = backoff.next_delay(ErrorCode::kUnavailable, clock.steady_now())) {
            result.push_back(*delay);
        }
        EXPECT_EQ(static_cast<std::size_t>(backoff.failures()), result.size() + 1);
        return result;
    }
};

TEST_F(RetryTest, TwoFailuresThenSuccessAreThreeCalls) {
    NEXA_PROVES("A-19");
    int calls = 0;
    const auto flaky = [&]() -> Result<std::unique_ptr<int>> {
        if (++calls < 3) {
            return Error::unavailable("down");
        }
        return std::make_unique<int>(7);
    };
    EXPECT_EQ(**retry_call({}, tools, flaky), 7);
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(sleeper.slept.size(), 2U);
}

TEST_F(RetryTest, WhenAllCallsFailTheLastErrorIsReturnedUnchanged) {
    NEXA_PROVES("A-19");
    int calls = 0;
    const auto broken = [&]() -> Status {
        ++calls;
        return Error::unavailable("failure {}", calls).at("store").hint("start it");
    };
    const Status status = retry_call({.attempts = 4}, tools, broken);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(status.error().to_string(), "store: failure 4 (start it)");
    EXPECT_EQ(sleeper.slept.size(), 3U);
}

TEST_F(RetryTest, AnErrorThatIsNotRetryableIsReturnedAtOnce) {
    NEXA_PROVES("A-18");
    for (const ErrorCodeRow& row : kErrorCodes) {
        int calls = 0;
        const auto fail = [&]() -> Status {
            ++calls;
            return Error(row.code, "x");
        };
        EXPECT_FALSE(retry_call({.attempts = 2}, tools, fail));
        EXPECT_EQ(calls, is_retryable(row.code) ? 2 : 1) << row.name;
    }
}

TEST_F(RetryTest, ThePolicySaysWhichErrorsRetry) {
    NEXA_PROVES("A-18");
    RetryPolicy policy;
    policy.retries = [](ErrorCode code) { return code == ErrorCode::kConflict; };
    Backoff backoff(policy, random, clock.steady_now());
    EXPECT_TRUE(backoff.next_delay(ErrorCode::kConflict, clock.steady_now()));
    EXPECT_FALSE(backoff.next_delay(ErrorCode::kUnavailable, clock.steady_now()));
}

TEST_F(RetryTest, DelaysDoubleUpToTheCapAtTheUpperEdgeAndAreZeroAtTheLower) {
    NEXA_PROVES("A-18");
    const RetryPolicy policy{.attempts = 7, .base = 100us, .cap = 1000us};
    // Ceilings of 100, 200, 400, 800, 1000, 1000: value mod (ceiling + 1) is the ceiling for each.
    const std::vector<microseconds> ceilings{100us, 200us, 400us, 800us, 1000us, 1000us};
    for (int attempt = 0; attempt < 200; ++attempt) {
        const auto drawn = delays(policy, random);
        ASSERT_EQ(drawn.size(), ceilings.size());
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            EXPECT_GE(drawn[i], 0us);
            EXPECT_LE(drawn[i], ceilings[i]);
        }
    }
    EdgeRandom top((std::uint64_t{1} << 32) * 101 - 1);  // 100 mod 101
    EXPECT_EQ(delays({.attempts = 2, .base = 100us}, top), std::vector<microseconds>{100us});
    EdgeRandom bottom((std::uint64_t{1} << 32) * 101);
    EXPECT_EQ(delays({.attempts = 2, .base = 100us}, bottom), std::vector<microseconds>{0us});
}

TEST_F(RetryTest, JitterFillsTheWholeRange) {
    double sum = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto delay = delays({.attempts = 2, .base = 1000us}, random).at(0);
        sum += static_cast<double>(delay.count());
    }
    EXPECT_NEAR(sum / 10'000, 500, 15);  // five standard errors
}

TEST_F(RetryTest, ManyAttemptsAndHugeCapsDoNotOverflow) {
    const RetryPolicy policy{
        .attempts = 200,
        .base = 1us,
        .cap = microseconds::max(),
        .total_max = microseconds::max(),
    };
    const auto drawn = delays(policy, random);
    EXPECT_EQ(drawn.size(), 199U);
    for (const microseconds delay : drawn) {
        EXPECT_GE(delay, 0us);
    }
    EXPECT_EQ(delays({.attempts = 3, .base = 0us}, random), std::vector<microseconds>(2, 0us));
}

TEST_F(RetryTest, NoPauseEndsAfterTheTotal) {
    NEXA_PROVES("A-18");
    const RetryPolicy policy{.attempts = 1000, .base = 1s, .cap = 1s, .total_max = 10s};
    const auto start = clock.steady_now();
    int calls = 0;
    const Status status = retry_call(policy, tools, [&]() -> Status {
        ++calls;
        return Error::unavailable("down");
    });
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_LE(clock.steady_now() - start, 10s);
    EXPECT_GT(clock.steady_now() - start, 9s);
    EXPECT_LT(calls, 1000);

    EdgeRandom zero(0);
    const RetryPolicy exact{.attempts = 3, .base = 0us, .total_max = 5s};
    Backoff at_limit(exact, zero, clock.steady_now());
    clock.advance(5s);
    EXPECT_TRUE(at_limit.next_delay(ErrorCode::kUnavailable, clock.steady_now()));
    clock.advance(1us);
    EXPECT_FALSE(at_limit.next_delay(ErrorCode::kUnavailable, clock.steady_now()));
}

TEST_F(RetryTest, OneAttemptNeverPauses) {
    const Status status =
        retry_call({.attempts = 1}, tools, []() -> Status { return Error::unavailable("x"); });
    EXPECT_FALSE(status);
    EXPECT_TRUE(sleeper.slept.empty());
}

TEST_F(RetryTest, ACancelledPauseEndsTheCalls) {
    sleeper.cancelled = true;
    int calls = 0;
    const Status status = retry_call({}, tools, [&]() -> Status {
        ++calls;
        return Error::unavailable("x");
    });
    EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(calls, 1);
}

TEST(RetryDeathTest, APolicyWithoutAttemptsIsABug) {
    fakes::SeededRandom random;
    EXPECT_DEATH(Backoff({.attempts = 0}, random, {}), "attempts >= 1");
    EXPECT_DEATH(Backoff({.base = -1us}, random, {}), "base");
}

TEST(CancelToken, IsCancelledForGoodAndInEveryCopy) {
    CancelSource source;
    const CancelToken token = source.token();
    const CancelToken copy = token;
    EXPECT_FALSE(token.cancelled());
    EXPECT_TRUE(token.check());
    source.cancel();
    source.cancel();
    EXPECT_TRUE(copy.cancelled());
    EXPECT_TRUE(source.token().cancelled());
    EXPECT_EQ(token.check().error().code, ErrorCode::kCancelled);
}

TEST(CancelToken, ByDefaultIsNever) {
    const CancelToken token;
    EXPECT_FALSE(token.cancelled());
    EXPECT_TRUE(token.check());
    EXPECT_FALSE(token.wait_until(std::chrono::steady_clock::now() + 1ms));
}

TEST(CancelToken, WaitsUntilTheDeadlineOrTheCancellation) {
    CancelSource source;
    EXPECT_FALSE(source.token().wait_until({}));
    std::jthread canceller([&source] { source.cancel(); });
    EXPECT_TRUE(source.token().wait_until(std::chrono::steady_clock::now() + 60s));
}

TEST(SystemSleeper, SleepsAtLeastAsLongAsAskedAndWakesWhenCancelled) {
    CancelSource source;
    SystemSleeper sleeper(source.token());
    const auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(sleeper.sleep_for(2ms));
    EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
    std::jthread canceller([&source] { source.cancel(); });
    EXPECT_EQ(sleeper.sleep_for(60s).error().code, ErrorCode::kCancelled);
    EXPECT_EQ(sleeper.sleep_for(microseconds::max()).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace nexa
