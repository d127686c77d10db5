// SPDX-License-Identifier: Apache-2.0
#include "core/decimal.h"

#include <algorithm>
#include <charconv>

namespace nexa {

namespace {

constexpr int kDigitsMax = 30;
constexpr int kExponentMax = 1000;

/// Takes digits off the front of `text`. Zeros are held back until a digit follows them, so that
/// those at the end cost nothing.
class DigitReader {
public:
    /// Returns how many digits there were.
    int take(std::string_view& text) {
        int count = 0;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++count) {
            add(text.front() - '0');
            text.remove_prefix(1);
        }
        return count;
    }

    WideInt digits() const { return digits_; }
    int zeros_held_back() const { return zeros_; }
    bool too_many() const { return count_ > kDigitsMax; }

private:
    void add(int digit) {
        if (digit == 0) {
            zeros_ += digits_ == 0 ? 0 : 1;
            return;
        }
        count_ += zeros_ + 1;
        for (; !too_many() && zeros_ > 0; --zeros_) {
            digits_ *= 10;
        }
        zeros_ = 0;
        if (!too_many()) {
            digits_ = digits_ * 10 + digit;
        }
    }

    WideInt digits_ = 0;
    int zeros_ = 0;
    int count_ = 0;
};

std::optional<int> take_exponent(std::string_view& text) {
    if (text.empty() || (text.front() != 'e' && text.front() != 'E')) {
        return 0;
    }
    text.remove_prefix(1);
    if (text.starts_with('+')) {
        text.remove_prefix(1);
        if (text.starts_with('-')) {
            return std::nullopt;
        }
    }
    int exponent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc() || std::abs(exponent) > kExponentMax) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return exponent;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
    // Longer than any exact number of ours: not worth reading.
    if (text.size() > 1000) {
        return std::nullopt;
    }
    const bool negative = text.starts_with('-');
    if (negative) {
        text.remove_prefix(1);
    }
    DigitReader reader;
    int fraction = 0;
    bool complete = reader.take(text) > 0;
    if (complete && text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = reader.take(text);
        complete = fraction > 0;
    }
    const std::optional<int> exponent = take_exponent(text);
    if (!complete || !exponent || !text.empty() || reader.too_many()) {
        return std::nullopt;
    }
    if (reader.digits() == 0) {
        return Decimal{};
    }
    return Decimal{
        .digits = negative ? -reader.digits() : reader.digits(),
        .exponent = *exponent - fraction + reader.zeros_held_back(),
    };
}

std::optional<WideInt> whole_multiple(const Decimal& number, WideInt factor) {
    WideInt value = 0;
    if (__builtin_mul_overflow(number.digits, factor, &value)) {
        return std::nullopt;
    }
    if (value == 0) {
        return 0;
    }
    for (int exponent = number.exponent; exponent > 0; --exponent) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return std::nullopt;
        }
    }
    for (int exponent = number.exponent; exponent < 0; ++exponent) {
        if (value % 10 != 0) {
            return std::nullopt;
        }
        value /= 10;
    }
    return value;
}

}  // namespace nexa
