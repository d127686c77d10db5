// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "core/mutex.h"
#include "core/result.h"

namespace nexa {

namespace internal {
class CancelState {
public:
    bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
    void cancel();
    bool wait_until(std::chrono::steady_clock::time_point deadline);

private:
    std::atomic<bool> cancelled_{false};
    Mutex mutex_;
    CondVar changed_;
};
}  // namespace internal

/// Tells work that nobody wants its result any more. The work looks from time to time and stops
/// by itself. A small value: copy it. Thread-safe. A default-constructed token is never cancelled.
class CancelToken {
public:
    CancelToken() = default;

    /// One atomic read.
    bool cancelled() const { return state_ && state_->cancelled(); }
    /// OK, or kCancelled: TRY_STATUS(token.check()).
    Status check() const;
    /// Blocks until cancelled (true) or until `deadline` (false): a sleep that can be ended early.
    [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point deadline) const;

private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<internal::CancelState> state) : state_(std::move(state)) {}
    std::shared_ptr<internal::CancelState> state_;
};

/// Whoever may cancel holds this. Destroying it cancels nothing. Thread-safe.
class CancelSource {
public:
    CancelSource() : state_(std::make_shared<internal::CancelState>()) {}

    CancelToken token() const { return CancelToken(state_); }
    /// For good. Wakes all who wait.
    void cancel() { state_->cancel(); }

private:
    std::shared_ptr<internal::CancelState> state_;
};

/// Passes time. Handed to what pauses between attempts; tests use fakes::ManualSleeper.
class Sleeper {
public:
    virtual ~Sleeper() = default;
    Sleeper() = default;
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    /// Blocks. Errors: kCancelled, as soon as whoever owns the wait gives up.
    virtual Status sleep_for(std::chrono::microseconds duration) = 0;
};

/// Sleeps in real time until its token is cancelled. Thread-safe.
class SystemSleeper final : public Sleeper {
public:
    explicit SystemSleeper(CancelToken token) : token_(std::move(token)) {}
    Status sleep_for(std::chrono::microseconds duration) override;

private:
    CancelToken token_;
};

}  // namespace nexa
