// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "core/result.h"

namespace nexa {

namespace internal {
template <class T>
struct GuardedResult {
    using Type = Result<T>;
};
template <class T>
struct GuardedResult<Result<T>> {
    using Type = Result<T>;
};
}  // namespace internal

/// Runs `f` and turns an exception of third-party code into an Error. Used at exactly three edges:
/// engine entry points, the HTTP handler, the root of a thread or coroutine. Out of memory is
/// kResourceExhausted, anything else kInternal. `f` may return a value, nothing or a Result.
template <class F>
auto guard(F&& f) -> typename internal::GuardedResult<std::invoke_result_t<F>>::Type {
    using Returned = std::invoke_result_t<F>;
    try {
        if constexpr (std::is_void_v<Returned>) {
            std::forward<F>(f)();
            return {};
        } else {
            return std::forward<F>(f)();
        }
    } catch (const std::bad_alloc&) {
        return Error::resource_exhausted("out of memory");
    } catch (const std::exception& exception) {
        return Error::internal("{}", exception.what());
    } catch (...) {
        return Error::internal("an exception that is no std::exception");
    }
}

}  // namespace nexa
