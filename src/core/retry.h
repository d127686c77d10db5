// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"

namespace nexa {

/// How often to try again and how long to pause. The pause before the n-th retry is uniform in
/// [0, min(cap, base * 2^(n-1))] ("full jitter": callers that failed together come back apart).
struct RetryPolicy {
    int attempts = 4;  ///< calls in all, at least 1
    std::chrono::microseconds base = std::chrono::milliseconds(100);
    std::chrono::microseconds cap = std::chrono::seconds(10);
    /// No pause may end later than this after the first call began. What a call itself takes is
    /// not bounded here: give calls a deadline of their own.
    std::chrono::microseconds total_max = std::chrono::seconds(60);
    /// Which errors may go away by themselves.
    bool (*retries)(ErrorCode) = is_retryable;
};

/// The decision alone, for coroutines and other callers that wait in their own way: one Backoff
/// per operation, asked after each failure. Not thread-safe. `random` outlives it.
class Backoff {
public:
    using Time = std::chrono::steady_clock::time_point;

    Backoff(const RetryPolicy& policy, Random& random, Time started);

    /// How long to pause before the next call; nothing if the error is to be returned as it is.
    std::optional<std::chrono::microseconds> next_delay(ErrorCode failure, Time now);
    /// How many calls have failed.
    int failures() const { return failures_; }

private:
    std::chrono::microseconds ceiling() const;

    RetryPolicy policy_;
    Random& random_;
    Time started_;
    int failures_ = 0;
};

/// What retry_call needs of the world.
struct RetryTools {
    const Clock& clock;
    Random& random;
    Sleeper& sleeper;
};

/// Calls `f`, which returns a Result, until it succeeds or the policy ends; returns the last
/// result unchanged. Blocks between calls. Errors: those of `f`; kCancelled if a pause was.
template <class F>
std::invoke_result_t<F&> retry_call(const RetryPolicy& policy, const RetryTools& tools, F f) {
    Backoff backoff(policy, tools.random, tools.clock.steady_now());
    while (true) {
        auto result = f();
        if (result.has_value()) {
            return result;
        }
        const auto delay = backoff.next_delay(result.error().code, tools.clock.steady_now());
        if (!delay) {
            return result;
        }
        if (auto slept = tools.sleeper.sleep_for(*delay); !slept) {
            return std::move(slept).error();
        }
    }
}

}  // namespace nexa
