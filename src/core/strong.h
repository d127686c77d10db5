// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <utility>

namespace nexa {

/// An integer or string with a meaning of its own, so that bytes and tokens cannot be mixed up:
///
///     using Bytes = Strong<std::int64_t, struct BytesTag>;
template <class T, class Tag>
class Strong {
public:
    using Value = T;
    constexpr Strong() = default;
    constexpr explicit Strong(T value) : value_(std::move(value)) {}
    constexpr const T& value() const { return value_; }
    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

    friend constexpr Strong operator+(Strong a, Strong b)
        requires std::integral<T>
    {
        return Strong(a.value_ + b.value_);
    }
    friend constexpr Strong operator-(Strong a, Strong b)
        requires std::integral<T>
    {
        return Strong(a.value_ - b.value_);
    }
    constexpr Strong& operator+=(Strong other)
        requires std::integral<T>
    {
        value_ += other.value_;
        return *this;
    }

private:
    T value_{};
};

using Bytes = Strong<std::int64_t, struct BytesTag>;
using TokenCount = Strong<std::int64_t, struct TokenCountTag>;

}  // namespace nexa
