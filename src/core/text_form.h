// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/sha256.h"

namespace nexa {

/// How a type of its own is written as one JSON string. Holds for every type with
/// `static Result<T> parse(std::string_view)` and `text()`, such as ids; specialize it for others.
/// `text()` of the default value may be empty: that is "not set".
template <class T>
struct TextForm {};

template <class T>
    requires requires(std::string_view text, const T& value) {
        { T::parse(text) } -> std::same_as<Result<T>>;
        { value.text() } -> std::convertible_to<std::string_view>;
    }
struct TextForm<T> {
    static constexpr std::string_view kFormat = "";  ///< JSON Schema's `format`, if there is one
    static Result<T> parse(std::string_view text) { return T::parse(text); }
    static std::string text(const T& value) { return std::string(value.text()); }
};

/// RFC 3339 in UTC, with milliseconds, or microseconds where it has them. Years 0 to 9999.
template <>
struct TextForm<Timestamp> {
    static constexpr std::string_view kFormat = "date-time";
    static Result<Timestamp> parse(std::string_view text) { return parse_rfc3339(text); }
    static std::string text(const Timestamp& value);
};

/// "sha256:" and 64 hex digits; read without the prefix too. All zeros, the default, is "not set".
template <>
struct TextForm<Sha256Digest> {
    static constexpr std::string_view kFormat = "";
    static Result<Sha256Digest> parse(std::string_view text) { return Sha256Digest::parse(text); }
    static std::string text(const Sha256Digest& value) {
        return value == Sha256Digest{} ? std::string() : value.prefixed();
    }
};

template <class T>
concept HasTextForm = requires(std::string_view text, const T& value) {
    { TextForm<T>::kFormat } -> std::convertible_to<std::string_view>;
    { TextForm<T>::parse(text) } -> std::same_as<Result<T>>;
    { TextForm<T>::text(value) } -> std::same_as<std::string>;
};

}  // namespace nexa
