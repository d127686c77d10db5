// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/guard.h"
#include "core/result.h"
#include "net/pools.h"

namespace nexa::net {

/// A coroutine that ends with a value or an Error.
///
/// Cancellation: the wait that it is in returns kCancelled (or throws Asio's operation_aborted),
/// and every later co_await throws operation_aborted; the root (TaskGroup, guarded()) turns that
/// into kCancelled. So a cancelled task unwinds, its destructors run, and it cannot start a new
/// wait.
template <class T>
using Task = asio::awaitable<Result<T>>;

/// What an exception means: operation_aborted is kCancelled, out of memory is kResourceExhausted,
/// anything else kInternal.
Error error_of(const std::exception_ptr& exception);

/// Runs `task` and turns an exception that leaves it into an Error: the fence at the root of a
/// coroutine.
template <class T>
Task<T> guarded(Task<T> task) {
    std::exception_ptr exception;
    try {
        co_return co_await std::move(task);
    } catch (...) {
        exception = std::current_exception();
    }
    co_return error_of(exception);
}

namespace internal {

/// One waiting coroutine, told at most once, from any thread.
template <class T>
class Waiter {
public:
    Waiter() = default;
    virtual ~Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual void complete(Result<T> result) = 0;
};

template <class T, class Handler>
class HandlerWaiter final : public Waiter<T> {
public:
    explicit HandlerWaiter(Handler handler)
        : executor_(asio::prefer(
              asio::any_io_executor(asio::get_associated_executor(handler)),
              asio::execution::outstanding_work.tracked
          )),
          handler_(std::move(handler)) {}

    void complete(Result<T> result) override {
        if (completed_.exchange(true)) {
            return;
        }
        // Posted, never called here: the caller may hold locks or be inside the initiation.
        asio::post(
            executor_,
            [handler = std::move(handler_), result = std::move(result)]() mutable {
                std::move(handler)(std::move(result));
            }
        );
        executor_ = {};
    }

private:
    asio::any_io_executor executor_;
    Handler handler_;
    std::atomic<bool> completed_{false};
};

/// Hands a cancellation on to `target`, if it still lives then.
template <class Slot, class T, class F>
void when_cancelled(Slot slot, const std::shared_ptr<T>& target, F act) {
    if (!slot.is_connected()) {
        return;
    }
    slot.assign([weak = std::weak_ptr<T>(target), act](asio::cancellation_type) {
        if (const auto alive = weak.lock()) {
            act(*alive);
        }
    });
}

}  // namespace internal

/// The callback that await_callback() hands out. Copyable; callable from any thread, also at once.
/// The first call counts, later ones change nothing. If every copy goes without a call, the waiting
/// coroutine gets kCancelled: it never hangs.
template <class T>
class Done {
public:
    explicit Done(std::shared_ptr<internal::Waiter<T>> waiter)
        : owner_(std::make_shared<Owner>(std::move(waiter))) {}

    void operator()(Result<T> result) const { owner_->waiter->complete(std::move(result)); }

private:
    struct Owner {
        explicit Owner(std::shared_ptr<internal::Waiter<T>> a_waiter)
            : waiter(std::move(a_waiter)) {}
        Owner(const Owner&) = delete;
        Owner& operator=(const Owner&) = delete;
        ~Owner() { waiter->complete(Error::cancelled("what was waited for was dropped")); }
        std::shared_ptr<internal::Waiter<T>> waiter;
    };
    std::shared_ptr<Owner> owner_;
};

/// Turns a callback API into a Task: `start(done)` begins the operation, `done(result)` ends the
/// wait on the waiting coroutine's executor.
///
/// A cancelled waiter leaves at once with kCancelled; the operation goes on and its result is
/// dropped, so `start` hands it only data that it owns.
///
///     CO_TRY(const JobId id, co_await await_callback<JobId>([&](Done<JobId> done) {
///         writer.submit(std::move(apply), std::move(done));
///     }));
template <class T, class Start>
Task<T> await_callback(Start start) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(
        [](auto handler, Start&& given) {
            Start begin(std::move(given));  // ends with the start, not with the wait
            using Handler = decltype(handler);
            auto slot = asio::get_associated_cancellation_slot(handler);
            auto waiter = std::make_shared<internal::HandlerWaiter<T, Handler>>(std::move(handler));
            internal::when_cancelled(slot, waiter, [](auto& waiting) {
                waiting.complete(Error::cancelled("the wait was cancelled"));
            });
            begin(Done<T>(std::move(waiter)));
        },
        asio::use_awaitable,
        std::move(start)
    );
}

namespace internal {

template <class R>
struct ValueOf {
    using Type = R;
};
template <class T>
struct ValueOf<Result<T>> {
    using Type = T;
};
template <class F>
using ValueOfCall = typename ValueOf<std::invoke_result_t<F>>::Type;

enum class JobState : std::uint8_t { kQueued, kStarted, kAbandoned };

/// A function on its way through a pool, and the coroutine that waits for it.
template <class F>
struct PooledCall {
    using T = ValueOfCall<F>;

    PooledCall(F function, std::shared_ptr<Waiter<T>> a_waiter)
        : f(std::move(function)), waiter(std::move(a_waiter)) {}
    PooledCall(const PooledCall&) = delete;
    PooledCall& operator=(const PooledCall&) = delete;
    ~PooledCall() { waiter->complete(Error::cancelled("the pool stopped before the call ran")); }

    void run() {
        JobState expected = JobState::kQueued;
        if (!state.compare_exchange_strong(expected, JobState::kStarted)) {
            return;
        }
        // NOLINTNEXTLINE(bugprone-unchecked-optional-access): only one call gets here
        Result<T> result = guard(*std::exchange(f, std::nullopt));
        waiter->complete(std::move(result));
    }

    /// Only what has not started can be abandoned: `f` may use what the waiter owns.
    void abandon() {
        JobState expected = JobState::kQueued;
        if (state.compare_exchange_strong(expected, JobState::kAbandoned)) {
            waiter->complete(Error::cancelled("cancelled before the call ran"));
        }
    }

    std::optional<F> f;
    std::shared_ptr<Waiter<T>> waiter;
    std::atomic<JobState> state{JobState::kQueued};
};

}  // namespace internal

/// Runs `f` on `pool`; its value, Result or exception comes back on the caller's executor.
///
/// Cancelled while queued, `f` never runs; once it runs, the caller waits for its end, so `f` may
/// refer to what the caller owns. Errors: those of `f`; kResourceExhausted if the queue is full;
/// kCancelled if cancelled in time or if the pool was stopped.
template <class F>
Task<internal::ValueOfCall<F>> run_on(WorkPool& pool, F f) {
    using T = internal::ValueOfCall<F>;
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(
        [](auto handler, WorkPool* target, F function) {
            using Handler = decltype(handler);
            using Call = internal::PooledCall<F>;
            auto slot = asio::get_associated_cancellation_slot(handler);
            auto waiter = std::make_shared<internal::HandlerWaiter<T, Handler>>(std::move(handler));
            auto call = std::make_shared<Call>(std::move(function), waiter);
            internal::when_cancelled(slot, call, [](Call& queued) { queued.abandon(); });
            // `call` lives on here: its destructor would answer before the refusal does.
            const Status accepted = target->submit([call] { call->run(); });
            if (!accepted) {
                waiter->complete(accepted.error());
            }
        },
        asio::use_awaitable,
        &pool,
        std::move(f)
    );
}

/// Waits. Errors: kCancelled.
Task<void> sleep_for(std::chrono::nanoseconds duration);

namespace internal {
/// Cancels the inner task of with_deadline() when time is up, and hands on an outer cancellation.
class DeadlineRace;
}  // namespace internal

/// `task`, but cancelled and answered with kDeadlineExceeded if it has not ended after `duration`.
/// Returns only after `task` has ended, so it may refer to what the caller owns.
template <class T>
Task<T> with_deadline(Task<T> task, std::chrono::nanoseconds duration);

/// Runs `task` on `executor` and waits for it. For mains and tests.
namespace blocking {
template <class T>
Result<T> wait(const asio::any_io_executor& executor, Task<T> task);
}  // namespace blocking

}  // namespace nexa::net

#include "net/task_detail.h"
