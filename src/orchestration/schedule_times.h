// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "orchestration/cron.h"

namespace nexa::orchestration {

/// What to do with times that are there or past.
struct DueTimes {
    std::optional<Timestamp> run;   ///< the time to start a workflow for
    std::optional<Timestamp> next;  ///< when to look again; none: it never comes again
    std::int64_t left_out = 0;      ///< past times that start nothing of their own
};

/// `due` is a time of the schedule, not after `now`. `missed`: "once" starts one workflow for all
/// past times; "all" one for each, the last hundred, one call after the other; "skip" one for the
/// last, unless that is over five minutes ago.
DueTimes due_times(
    const Cron& cron, const TimeZone& zone, std::string_view missed, Timestamp due, Timestamp now
);

}  // namespace nexa::orchestration
