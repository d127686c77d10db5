// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace nexa::billing {

/// From `from` on, up to but without `until`.
struct Period {
    Timestamp from;
    Timestamp until;
};

/// The calendar month (UTC) that `time` is in, whole.
Period month_of(Timestamp time);
/// The same up to `now`.
Period month_so_far(Timestamp now);
/// "2026-10", the month that `time` is in.
std::string month_name(Timestamp time);
/// The whole month of that name. Errors: kInvalidArgument.
Result<Period> month_named(std::string_view name);

enum class Interval : std::uint8_t { kHour, kDay };
std::chrono::microseconds width_of(Interval interval);
/// The beginning (UTC) of the hour or day that `time` is in.
Timestamp begin_of(Interval interval, Timestamp time);

/// The period cut at the beginnings of hours or days: the first and the last part may be shorter.
/// Errors: kInvalidArgument (it ends before it begins; more than kPartsMax parts).
inline constexpr std::size_t kPartsMax = 400;
Result<std::vector<Period>> parts_of(const Period& period, Interval interval);

}  // namespace nexa::billing
