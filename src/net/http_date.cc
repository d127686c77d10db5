// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "net/http_date_internal.h"

namespace nexa::net {

namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

}  // namespace

std::string to_http_date(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays[std::chrono::weekday(day).c_encoding()],
        static_cast<unsigned>(date.day()),
        kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count()
    );
}

std::string_view http_date_now(Timestamp now) {
    thread_local std::chrono::sys_seconds second{std::chrono::seconds(-1)};
    thread_local std::string text;
    const auto this_second = std::chrono::floor<std::chrono::seconds>(now);
    if (this_second != second) {
        second = this_second;
        text = to_http_date(now);
    }
    return text;
}

std::optional<Timestamp> parse_http_date(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == nullptr || *end != '\0') {
        return std::nullopt;
    }
    return Timestamp(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace nexa::net
