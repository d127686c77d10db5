// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace date {
class time_zone;
}

namespace nexa::orchestration {

/// When something runs, as in crontab(5): minute, hour, day of the month, month, day of the week;
/// lists, ranges, steps, names of months and days in English; @hourly, @daily, @weekly, @monthly,
/// @yearly. If days of the month and of the week are both given, a day that fits either will do.
struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;     ///< of the month, from 1
    std::bitset<13> months;   ///< from 1
    std::bitset<7> weekdays;  ///< from Sunday
    bool either_day = false;  ///< both kinds of days are given

    /// Errors: kInvalidArgument, naming the field.
    static Result<Cron> parse(std::string_view text);
};

/// A zone of the system's tz database, such as "Europe/Berlin". Refers to data that stays.
class TimeZone {
public:
    /// Errors: kInvalidArgument (no such zone), kUnavailable (no database on this machine).
    static Result<TimeZone> find(const std::string& name);

    using LocalMinutes = std::chrono::minutes;  ///< since 1970 on the zone's own clocks
    LocalMinutes local(Timestamp instant) const;
    /// When the zone's clocks first show that time, or jump over it.
    Timestamp instant(LocalMinutes local) const;

private:
    explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}

    const date::time_zone* zone_;
};

/// The first time after `after`; none within eight years means never (30 February).
///
/// Where clocks go forward, what falls into the gap runs at its end; where they go back, what falls
/// into the doubled hour runs once. What runs in every hour goes by the time that passes instead.
std::optional<Timestamp> next_after(const Cron& cron, const TimeZone& zone, Timestamp after);

}  // namespace nexa::orchestration
