// SPDX-License-Identifier: Apache-2.0
#include "billing/period.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace nexa::billing {

namespace {

constexpr std::size_t kMonthNameLength = 7;  // 2026-10
constexpr std::size_t kYearLength = 4;
constexpr int kFirstYear = 1970;

std::chrono::year_month year_month_of(Timestamp time) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    return date.year() / date.month();
}

Period whole(std::chrono::year_month month) {
    return {
        .from = std::chrono::sys_days{month / 1},
        .until = std::chrono::sys_days{(month + std::chrono::months{1}) / 1},
    };
}

}  // namespace

Period month_of(Timestamp time) {
    return whole(year_month_of(time));
}

Period month_so_far(Timestamp now) {
    return {.from = month_of(now).from, .until = now};
}

std::string month_name(Timestamp time) {
    const std::chrono::year_month month = year_month_of(time);
    return fmt::format(
        "{:04}-{:02}", static_cast<int>(month.year()), static_cast<unsigned>(month.month())
    );
}

Result<Period> month_named(std::string_view name) {
    const Error error =
        Error::invalid_argument("'{}' is no month", name).at("month").hint("as in 2026-10");
    if (name.size() != kMonthNameLength || name[kYearLength] != '-') {
        return error;
    }
    int year = 0;
    unsigned month = 0;
    const char* const dash = name.data() + kYearLength;
    const char* const end = name.data() + name.size();
    const bool is_number = std::from_chars(name.data(), dash, year).ptr == dash &&
                           std::from_chars(dash + 1, end, month).ptr == end;
    const auto found = std::chrono::year{year} / std::chrono::month{month};
    if (!is_number || !found.ok() || year < kFirstYear) {
        return error;
    }
    return whole(found);
}

std::chrono::microseconds width_of(Interval interval) {
    return interval == Interval::kHour ? std::chrono::microseconds(std::chrono::hours{1})
                                       : std::chrono::microseconds(std::chrono::days{1});
}

Timestamp begin_of(Interval interval, Timestamp time) {
    return interval == Interval::kHour ? Timestamp(std::chrono::floor<std::chrono::hours>(time))
                                       : Timestamp(std::chrono::floor<std::chrono::days>(time));
}

Result<std::vector<Period>> parts_of(const Period& period, Interval interval) {
    if (period.until < period.from) {
        return Error::invalid_argument("the period ends before it begins").at("until");
    }
    const Timestamp first = begin_of(interval, period.from);
    const auto width = width_of(interval);
    if ((period.until - first) / width > static_cast<std::int64_t>(kPartsMax) - 1) {
        return Error::invalid_argument("the period has more than {} parts", kPartsMax)
            .at("interval")
            .hint("ask for days, or for a shorter period");
    }
    std::vector<Period> parts;
    for (Timestamp from = first; from < period.until; from += width) {
        parts.push_back(
            {.from = std::max(from, period.from), .until = std::min(from + width, period.until)}
        );
    }
    return parts;
}

}  // namespace nexa::billing
