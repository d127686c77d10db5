// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"
#include "core/clock.h"
#include "core/strong.h"

namespace nexa::db {

using Blob = std::vector<std::byte>;

namespace internal {
template <class T>
concept Character = std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
                    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
template <class T>
concept HasText = requires(const T& id) {
    { id.text() } -> std::convertible_to<std::string_view>;
};
template <class T>
concept HasBytes = requires(const T& digest) { std::as_bytes(std::span(digest.bytes)); };
template <class T>
concept GivesBytes = requires(const T& key) { std::as_bytes(std::span(key.bytes())); };
}  // namespace internal

/// What goes into a statement and comes out of a row: NULL, integer, real, text or bytes.
///
/// Converts from what the code has: booleans are 0 and 1, timestamps integer microseconds UTC,
/// durations integer microseconds, ids their text, digests and keys their bytes, an empty optional
/// NULL. A NaN is NULL, which both databases can hold. Enums and characters do not convert: say
/// which text you mean. Text has to be UTF-8 without NUL bytes; a statement refuses other text
/// (kInvalidArgument).
class Value {
public:
    using Variant = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

    // NOLINTBEGIN(google-explicit-constructor): {"fence", lease.fence} is what the type is for
    Value() = default;
    Value(std::nullptr_t) {}
    Value(std::nullopt_t) {}
    template <std::same_as<bool> T>
    Value(T value) : value_(std::int64_t{value ? 1 : 0}) {}
    template <std::integral T>
        requires(!std::same_as<T, bool> && !internal::Character<T>)
    Value(T value) : value_(static_cast<std::int64_t>(value)) {
        NEXA_CHECK(std::in_range<std::int64_t>(value));
    }
    template <std::floating_point T>
    Value(T value) {
        if (!std::isnan(value)) {
            value_ = static_cast<double>(value);
        }
    }
    Value(std::string text) : value_(std::move(text)) {}
    Value(std::string_view text) : value_(std::string(text)) {}
    Value(const char* text) : value_(std::string(text)) {}
    Value(Blob bytes) : value_(std::move(bytes)) {}
    Value(std::span<const std::byte> bytes) : value_(Blob(bytes.begin(), bytes.end())) {}
    Value(Timestamp time) : value_(std::int64_t{time.time_since_epoch().count()}) {}
    Value(std::chrono::microseconds duration) : value_(std::int64_t{duration.count()}) {}
    template <class T, class Tag>
    Value(const Strong<T, Tag>& strong) : Value(strong.value()) {}
    template <internal::HasText T>
    Value(const T& id) : Value(std::string_view(id.text())) {}
    template <internal::HasBytes T>
    Value(const T& digest) : Value(std::as_bytes(std::span(digest.bytes))) {}
    template <internal::GivesBytes T>
    Value(const T& key) : Value(std::as_bytes(std::span(key.bytes()))) {}
    template <class T>
        requires std::constructible_from<Value, const T&>
    Value(const std::optional<T>& optional) {
        if (optional) {
            *this = Value(*optional);
        }
    }
    // NOLINTEND(google-explicit-constructor)

    const Variant& variant() const { return value_; }
    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    /// "null", "integer", "real", "text" or "blob".
    std::string_view kind() const;

    friend bool operator==(const Value&, const Value&) = default;

private:
    Variant value_;
};

/// A value for `:name` of a statement.
struct Param {
    std::string_view name;  ///< without the colon
    Value value;
};

/// The parameters of one call. Refers to them, does not hold them: for arguments only.
class Params {
public:
    // NOLINTBEGIN(google-explicit-constructor): a call writes its parameters in braces
    Params() = default;
    Params(std::initializer_list<Param> params) : params_(params.begin(), params.size()) {}
    Params(std::span<const Param> params) : params_(params) {}
    Params(const std::vector<Param>& params) : params_(params) {}
    // NOLINTEND(google-explicit-constructor)

    std::size_t size() const { return params_.size(); }
    auto begin() const { return params_.begin(); }
    auto end() const { return params_.end(); }
    /// The value for `name`; null if there is none.
    const Value* find(std::string_view name) const;

private:
    std::span<const Param> params_;
};

}  // namespace nexa::db
