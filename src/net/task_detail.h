// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "net/task.h"

namespace nexa::net {

namespace internal {

class DeadlineRace {
public:
    void end(bool by_deadline) {
        if (!ended_) {
            expired_ = by_deadline;
            signal_.emit(asio::cancellation_type::terminal);
        }
    }
    void finish() { ended_ = true; }
    bool expired() const { return expired_; }
    asio::cancellation_slot slot() { return signal_.slot(); }

private:
    asio::cancellation_signal signal_;
    bool ended_ = false;
    bool expired_ = false;
};

}  // namespace internal

template <class T>
Task<T> with_deadline(Task<T> task, std::chrono::nanoseconds duration) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::cancellation_state outer = co_await asio::this_coro::cancellation_state;
    // Shared with the timer's handler, which may run after this coroutine has gone.
    const auto race = std::make_shared<internal::DeadlineRace>();
    asio::steady_timer timer(executor, duration);
    timer.async_wait([race](const boost::system::error_code& error) {
        if (!error) {
            race->end(true);
        }
    });
    if (outer.slot().is_connected()) {
        outer.slot().assign([race](asio::cancellation_type) { race->end(false); });
    }
    Result<T> result = co_await asio::co_spawn(
        executor,
        guarded(std::move(task)),
        asio::bind_cancellation_slot(race->slot(), asio::use_awaitable)
    );
    race->finish();
    timer.cancel();
    if (outer.slot().is_connected()) {
        outer.slot().clear();
    }
    if (!result && race->expired()) {
        co_return Error::deadline_exceeded(
            "not done within {} ms",
            std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()
        );
    }
    co_return result;
}

namespace blocking {

template <class T>
Result<T> wait(const asio::any_io_executor& executor, Task<T> task) {
    NEXA_CHECK_NOT_ON_IO();
    std::promise<Result<T>> promise;
    std::future<Result<T>> future = promise.get_future();
    asio::co_spawn(
        executor,
        guarded(std::move(task)),
        [&promise](const std::exception_ptr&, Result<T> result) {
            promise.set_value(std::move(result));
        }
    );
    return future.get();
}

}  // namespace blocking

}  // namespace nexa::net
