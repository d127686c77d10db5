// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <expected>
#include <type_traits>
#include <utility>

#include "core/error.h"

namespace nexa {

/// A value or an Error. A class of its own, not an alias, so that an ignored one is a compile
/// error, also behind co_await.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using Base = std::expected<T, Error>;
    using Base::Base;
    // NOLINTNEXTLINE(google-explicit-constructor): `return Error::…`
    Result(Error error) : Base(std::unexpect, std::move(error)) {}
    /// Uninitialised: an internal error until assigned. Asio makes one of these for a result still
    /// to come.
    Result()
        requires(!std::default_initializable<T>)
        : Base(std::unexpect, Error(ErrorCode::kInternal, "result was never set")) {}
    Result()
        requires(std::default_initializable<T>)
    = default;
};

template <>
class [[nodiscard]] Result<void> : public std::expected<void, Error> {
public:
    using Base = std::expected<void, Error>;
    using Base::Base;
    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): `return Error::…`
    Result(Error error) : Base(std::unexpect, std::move(error)) {}
};

using Status = Result<void>;

inline Status ok() {
    return {};
}

}  // namespace nexa

#define NEXA_CONCAT_INNER(a, b) a##b
#define NEXA_CONCAT(a, b) NEXA_CONCAT_INNER(a, b)
#define NEXA_TRY_INNER(leave, result, declaration, ...) \
    auto result = (__VA_ARGS__);                        \
    if (!(result).has_value()) [[unlikely]] {           \
        leave ::std::move(result).error();              \
    }                                                   \
    declaration = *::std::move(result)
#define NEXA_TRY_STATUS_INNER(leave, result, ...) \
    do {                                          \
        auto result = (__VA_ARGS__);              \
        if (!(result).has_value()) [[unlikely]] { \
            leave ::std::move(result).error();    \
        }                                         \
    } while (false)

/// TRY(const auto bytes, read(path)); declares, or returns the error. In .cc files only. The
/// declaration may not hold a comma (no structured bindings).
#define TRY(declaration, ...) \
    NEXA_TRY_INNER(return, NEXA_CONCAT(nexa_try_, __COUNTER__), declaration, __VA_ARGS__)
/// TRY_STATUS(write(path, bytes)); returns the error, if any.
#define TRY_STATUS(...) \
    NEXA_TRY_STATUS_INNER(return, NEXA_CONCAT(nexa_try_, __COUNTER__), __VA_ARGS__)
/// The same inside a coroutine.
#define CO_TRY(declaration, ...) \
    NEXA_TRY_INNER(co_return, NEXA_CONCAT(nexa_try_, __COUNTER__), declaration, __VA_ARGS__)
#define CO_TRY_STATUS(...) \
    NEXA_TRY_STATUS_INNER(co_return, NEXA_CONCAT(nexa_try_, __COUNTER__), __VA_ARGS__)
