// SPDX-License-Identifier: Apache-2.0
#include "orchestration/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <vector>

#include <date/tz.h>
#include <fmt/format.h>

#include "core/check.h"

namespace nexa::orchestration {

namespace {

using std::chrono::minutes;

constexpr int kYearsMax = 8;  // from one 29 February to the next over 2100
constexpr std::chrono::days kHorizon{(kYearsMax * 366) + 1};

struct Field {
    std::string_view name;
    int min = 0;
    int max = 0;
    std::span<const std::string_view> names = {};  ///< of the values from `min` on
};

constexpr std::array<std::string_view, 12> kMonths{
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
};
constexpr std::array<std::string_view, 7> kWeekdays{
    "sun",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
};
constexpr std::array<Field, 5> kFields{{
    {.name = "minute", .min = 0, .max = 59},
    {.name = "hour", .min = 0, .max = 23},
    {.name = "day of the month", .min = 1, .max = 31},
    {.name = "month", .min = 1, .max = 12, .names = kMonths},
    {.name = "day of the week", .min = 0, .max = 7, .names = kWeekdays},  // 7 is Sunday too
}};

struct Macro {
    std::string_view name;
    std::string_view text;
};
constexpr std::array<Macro, 7> kMacros{{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find_first_of(separators);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::string lower(std::string_view text) {
    std::string all(text);
    std::ranges::transform(all, all.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return all;
}

std::optional<int> whole_number(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(number) : std::nullopt;
}

Result<int> value_of(const Field& field, std::string_view text) {
    const auto named = std::ranges::find(field.names, lower(text));
    if (named != field.names.end()) {
        return field.min + static_cast<int>(named - field.names.begin());
    }
    const auto number = whole_number(text);
    if (!number || *number < field.min || *number > field.max) {
        return Error::invalid_argument(
            "{} must be {} to {}, is '{}'", field.name, field.min, field.max, text
        );
    }
    return *number;
}

struct Range {
    int first = 0;
    int last = 0;
    int step = 1;
};

/// "*", "5", "1-5", "*/15", "1-31/2", "5/10".
Result<Range> range_of(const Field& field, std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view values = text.substr(0, slash);
    Range range{.first = field.min, .last = field.max};
    if (values != "*") {
        const std::size_t dash = values.find('-');
        TRY(range.first, value_of(field, values.substr(0, dash)));
        range.last = slash == std::string_view::npos ? range.first : field.max;
        if (dash != std::string_view::npos) {
            TRY(range.last, value_of(field, values.substr(dash + 1)));
        }
        if (range.last < range.first) {
            return Error::invalid_argument("{}: '{}' runs backwards", field.name, values);
        }
    }
    if (slash != std::string_view::npos) {
        const auto step = whole_number(text.substr(slash + 1));
        if (!step || *step < 1) {
            return Error::invalid_argument(
                "{}: the step behind '/' must be 1 or more, is '{}'",
                field.name,
                text.substr(slash + 1)
            );
        }
        range.step = *step;
    }
    return range;
}

/// The values of a field as bits.
Result<std::bitset<64>> bits_of(const Field& field, std::string_view text) {
    std::bitset<64> bits;
    for (const std::string_view part : split(text, ",")) {
        TRY(const Range range, range_of(field, part));
        for (int value = range.first; value <= range.last; value += range.step) {
            bits.set(static_cast<std::size_t>(value));
        }
    }
    return bits;
}

template <std::size_t N>
std::bitset<N> narrowed(const std::bitset<64>& bits) {
    return std::bitset<N>(bits.to_ullong());
}

bool takes_day(const Cron& cron, std::chrono::days since_1970) {
    const date::local_days day{since_1970};
    const date::year_month_day ymd(day);
    if (!cron.months.test(static_cast<unsigned>(ymd.month()))) {
        return false;
    }
    const bool by_month = cron.days.test(static_cast<unsigned>(ymd.day()));
    const bool by_week = cron.weekdays.test(date::weekday(day).c_encoding());
    return cron.either_day ? by_month || by_week : by_month && by_week;
}

/// The first set bit from `from` on; N if there is none.
template <std::size_t N>
std::size_t next_set(const std::bitset<N>& bits, std::size_t from) {
    while (from < N && !bits.test(from)) {
        ++from;
    }
    return from;
}

/// Goes from instant to instant: for what runs in every hour.
std::optional<Timestamp> next_by_instant(const Cron& cron, const TimeZone& zone, Timestamp start) {
    for (Timestamp at = start; at < start + kHorizon;) {
        const minutes local = zone.local(at);
        const auto day = std::chrono::floor<std::chrono::days>(local);
        if (!takes_day(cron, day)) {
            at = std::max(zone.instant(day + std::chrono::days(1)), at + minutes(1));
            continue;
        }
        const auto minute =
            static_cast<std::size_t>((local - std::chrono::floor<std::chrono::hours>(local)).count()
            );
        if (cron.minutes.test(minute)) {
            return at;
        }
        // To the next that fits, or into the next hour; looked at again, as clocks may jump there.
        at += minutes(next_set(cron.minutes, minute) - minute);
    }
    return std::nullopt;
}

/// Goes from time to time on the zone's clocks.
std::optional<Timestamp> next_by_clock(const Cron& cron, const TimeZone& zone, Timestamp start) {
    const auto first = std::chrono::floor<std::chrono::days>(zone.local(start));
    for (auto day = first; day < first + kHorizon; ++day) {
        if (!takes_day(cron, day)) {
            continue;
        }
        for (std::size_t hour = 0; hour < cron.hours.size(); ++hour) {
            if (!cron.hours.test(hour)) {
                continue;
            }
            for (std::size_t minute = 0; minute < cron.minutes.size(); ++minute) {
                const Timestamp at = zone.instant(day + std::chrono::hours(hour) + minutes(minute));
                if (cron.minutes.test(minute) && at >= start) {
                    return at;
                }
            }
        }
    }
    return std::nullopt;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
    const auto macro = std::ranges::find(kMacros, lower(text), &Macro::name);
    std::vector<std::string_view> parts = split(macro == kMacros.end() ? text : macro->text, " \t");
    std::erase(parts, "");
    if (parts.size() != kFields.size()) {
        return Error::invalid_argument(
                   "must have five fields (minute, hour, day, month, day of the week), has {}",
                   parts.size()
        )
            .hint("'0 3 * * mon-fri' is three o'clock on working days; @daily and the like work");
    }
    std::array<std::bitset<64>, kFields.size()> bits;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        TRY(bits[i], bits_of(kFields[i], parts[i]));
    }
    constexpr std::size_t kSundayAgain = 7;
    bits[4].set(0, bits[4].test(0) || bits[4].test(kSundayAgain));
    bits[4].reset(kSundayAgain);
    return Cron{
        .minutes = narrowed<60>(bits[0]),
        .hours = narrowed<24>(bits[1]),
        .days = narrowed<32>(bits[2]),
        .months = narrowed<13>(bits[3]),
        .weekdays = narrowed<7>(bits[4]),
        .either_day = !parts[2].starts_with('*') && !parts[4].starts_with('*'),
    };
}

Result<TimeZone> TimeZone::find(const std::string& name) {
    try {
        return TimeZone(date::locate_zone(name));
    } catch (const std::exception&) {
        return Error::invalid_argument("there is no time zone '{}' on this machine", name)
            .hint("a name like Europe/Berlin or UTC; the package tzdata has them");
    }
}

TimeZone::LocalMinutes TimeZone::local(Timestamp instant) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
    return std::chrono::floor<minutes>(
        seconds.time_since_epoch() + zone_->get_info(seconds).offset
    );
}

Timestamp TimeZone::instant(LocalMinutes local) const {
    const date::local_seconds wanted{std::chrono::seconds(local)};
    const date::local_info info = zone_->get_info(wanted);
    if (info.result == date::local_info::nonexistent) {
        return info.first.end;
    }
    return Timestamp(wanted.time_since_epoch() - info.first.offset);
}

std::optional<Timestamp> next_after(const Cron& cron, const TimeZone& zone, Timestamp after) {
    const Timestamp start = std::chrono::floor<minutes>(after) + minutes(1);
    return cron.hours.all() ? next_by_instant(cron, zone, start) : next_by_clock(cron, zone, start);
}

}  // namespace nexa::orchestration
