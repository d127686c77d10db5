// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/cancel.h"
#include "core/guard.h"
#include "core/mutex.h"
#include "core/result.h"

namespace nexa {

namespace internal {

/// A piece of work on a thread of its own, and whoever waits for it.
class TimedRun {
public:
    /// Runs `work` on a new thread. Errors: kResourceExhausted.
    static Status start(const std::shared_ptr<TimedRun>& run, std::function<void()> work);
    /// True if the work ended before `deadline`. Else it is cancelled and counts as a runaway.
    bool wait_until(std::chrono::steady_clock::time_point deadline);
    CancelToken token() const { return source_.token(); }

private:
    void finish();

    CancelSource source_;
    Mutex mutex_;
    CondVar ended_;
    bool is_done_ NEXA_GUARDED_BY(mutex_) = false;
    bool is_abandoned_ NEXA_GUARDED_BY(mutex_) = false;
};

Error timeout_error(std::chrono::microseconds limit);

}  // namespace internal

/// Runs `f(CancelToken)` on a thread of its own and waits for it at most `limit`, whatever `f`
/// does. `f` returns a value, nothing or a Result; an exception becomes an Error (core/guard.h).
/// Blocks up to `limit`, of real time.
///
/// On timeout the token is cancelled and the caller goes on. A thread cannot be killed: one whose
/// work never looks at its token is left running, detached, until the work ends by itself or the
/// process does. So `f` must own all it uses (values or shared_ptr, no references to the caller's
/// frame), and its late result is dropped. At most 64 such threads may run; beyond, nothing is
/// started. What must truly end (users' code, a hung library) belongs in a child process.
///
/// Errors: those of `f`; kDeadlineExceeded; kResourceExhausted (64 runaway threads, or no thread
/// to be had).
template <class F>
auto execution_timeout(std::chrono::microseconds limit, F f) ->
    typename internal::GuardedResult<std::invoke_result_t<F&, CancelToken>>::Type {
    using Outcome = typename internal::GuardedResult<std::invoke_result_t<F&, CancelToken>>::Type;
    if (limit <= std::chrono::microseconds(0)) {
        return internal::timeout_error(limit);
    }
    const auto deadline = std::chrono::steady_clock::now() +
                          std::min<std::chrono::microseconds>(limit, std::chrono::years(1));
    const auto run = std::make_shared<internal::TimedRun>();
    const auto outcome = std::make_shared<std::optional<Outcome>>();
    const auto work = std::make_shared<F>(std::move(f));  // std::function wants to copy
    auto started = internal::TimedRun::start(run, [outcome, work, token = run->token()] {
        outcome->emplace(guard([&] { return (*work)(token); }));
    });
    if (!started) {
        return std::move(started).error();
    }
    if (!run->wait_until(deadline)) {
        return internal::timeout_error(limit);
    }
    return *std::move(*outcome);
}

/// How many threads run on behind an execution_timeout that gave up. For metrics and alerts.
int runaway_threads();

}  // namespace nexa
