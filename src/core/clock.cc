// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <cctype>

namespace nexa {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes exactly `count` digits off the front of `text`.
Result<int> take_number(std::string_view& text, std::size_t count) {
    if (text.size() < count) {
        return Error::invalid_argument("ends too early");
    }
    int value = 0;
    for (const char c : text.substr(0, count)) {
        if (c < '0' || c > '9') {
            return Error::invalid_argument("has '{}' where a digit belongs", c);
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(count);
    return value;
}

Status take_char(std::string_view& text, std::string_view accepted) {
    if (text.empty() || accepted.find(text.front()) == std::string_view::npos) {
        return Error::invalid_argument("lacks one of '{}'", accepted);
    }
    text.remove_prefix(1);
    return {};
}

Result<microseconds> take_fraction(std::string_view& text) {
    if (!text.starts_with('.')) {
        return microseconds{0};
    }
    text.remove_prefix(1);
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9';
         text.remove_prefix(1), ++digits) {
        if (digits < 6) {
            value = value * 10 + (text.front() - '0');
        }
    }
    if (digits == 0 || digits > 9) {
        return Error::invalid_argument("has a fraction of {} digits, 1 to 9 are allowed", digits);
    }
    for (std::size_t i = digits; i < 6; ++i) {
        value *= 10;
    }
    return microseconds{value};
}

Result<minutes> take_offset(std::string_view& text) {
    if (text.starts_with('Z') || text.starts_with('z')) {
        text.remove_prefix(1);
        return minutes{0};
    }
    const bool west = text.starts_with('-');
    TRY_STATUS(take_char(text, "+-"));
    TRY(const int hour, take_number(text, 2));
    TRY_STATUS(take_char(text, ":"));
    TRY(const int minute, take_number(text, 2));
    if (hour > 23 || minute > 59) {
        return Error::invalid_argument("has an offset out of range");
    }
    const minutes offset = hours{hour} + minutes{minute};
    return west ? -offset : offset;
}

Result<Timestamp> parse(std::string_view text) {
    TRY(const int year, take_number(text, 4));
    TRY_STATUS(take_char(text, "-"));
    TRY(const int month, take_number(text, 2));
    TRY_STATUS(take_char(text, "-"));
    TRY(const int day, take_number(text, 2));
    TRY_STATUS(take_char(text, "Tt "));
    TRY(const int hour, take_number(text, 2));
    TRY_STATUS(take_char(text, ":"));
    TRY(const int minute, take_number(text, 2));
    TRY_STATUS(take_char(text, ":"));
    TRY(const int second, take_number(text, 2));
    TRY(const microseconds fraction, take_fraction(text));
    TRY(const minutes offset, take_offset(text));
    const std::chrono::year_month_day date{
        std::chrono::year{year},
        std::chrono::month{static_cast<unsigned>(month)},
        std::chrono::day{static_cast<unsigned>(day)},
    };
    // 60 is a leap second; it becomes the first second of the next minute.
    if (!date.ok() || hour > 23 || minute > 59 || second > 60 || !text.empty()) {
        return Error::invalid_argument("has a part out of range, or text behind the time");
    }
    return std::chrono::sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
           fraction - offset;
}

}  // namespace

Timestamp SystemClock::now() const {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

std::chrono::steady_clock::time_point SystemClock::steady_now() const {
    return std::chrono::steady_clock::now();
}

std::string to_rfc3339(Timestamp time) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::milliseconds>(time - day)};
    return fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count(),
        clock.subseconds().count()
    );
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
    auto time = parse(text);
    if (!time) {
        return Error::invalid_argument("'{}' is no RFC 3339 time: {}", text, time.error().message)
            .hint("write it like 2025-11-20T19:00:00Z");
    }
    return time;
}

}  // namespace nexa
