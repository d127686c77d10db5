// SPDX-License-Identifier: Apache-2.0
#include "net/task.h"

#include <new>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

namespace nexa::net {

Error error_of(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            return Error::cancelled("the task was cancelled");
        }
        return Error::internal("{}", error.what());
    } catch (const std::bad_alloc&) {
        return Error::resource_exhausted("out of memory");
    } catch (const std::exception& error) {
        return Error::internal("{}", error.what());
    } catch (...) {
        return Error::internal("an exception that is no std::exception");
    }
}

Task<void> sleep_for(std::chrono::nanoseconds duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (error) {
        co_return Error::cancelled("the sleep was cancelled");
    }
    co_return ok();
}

}  // namespace nexa::net
