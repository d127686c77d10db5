// SPDX-License-Identifier: Apache-2.0
#include "orchestration/schedule_times.h"

#include <deque>

namespace nexa::orchestration {

namespace {

constexpr std::size_t kCatchUpMax = 100;
constexpr std::chrono::minutes kLateMax{5};
/// Of past times that are looked at: ten weeks of minutes.
constexpr std::int64_t kPastMax = 100'000;

}  // namespace

DueTimes due_times(
    const Cron& cron, const TimeZone& zone, std::string_view missed, Timestamp due, Timestamp now
) {
    std::deque<Timestamp> past{due};
    std::int64_t count = 1;
    std::optional<Timestamp> next = next_after(cron, zone, due);
    while (next && *next <= now) {
        if (++count > kPastMax) {
            next = next_after(cron, zone, now);
            break;
        }
        past.push_back(*next);
        if (past.size() > kCatchUpMax) {
            past.pop_front();
        }
        next = next_after(cron, zone, *next);
    }
    if (missed == "all") {
        return {
            .run = past.front(),
            .next = past.size() > 1 ? past[1] : next,
            .left_out = count - static_cast<std::int64_t>(past.size()),
        };
    }
    if (missed == "skip" && now - past.back() > kLateMax) {
        return {.run = std::nullopt, .next = next, .left_out = count};
    }
    return {.run = past.back(), .next = next, .left_out = count - 1};
}

}  // namespace nexa::orchestration
