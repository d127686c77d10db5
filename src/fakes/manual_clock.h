// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "core/clock.h"

namespace nexa::fakes {

/// A clock that stands still until told. Starts at 2025-11-20T19:00:00Z, with steady time at one
/// hour, so that subtracting a timeout stays positive. Thread-safe.
class ManualClock final : public Clock {
public:
    static constexpr Timestamp kStart{std::chrono::microseconds{1'763'665'200'000'000}};

    ManualClock() = default;
    explicit ManualClock(Timestamp start) : wall_us_(start.time_since_epoch().count()) {}

    Timestamp now() const override { return Timestamp{std::chrono::microseconds{wall_us_.load()}}; }
    std::chrono::steady_clock::time_point steady_now() const override {
        return std::chrono::steady_clock::time_point{std::chrono::microseconds{steady_us_.load()}};
    }

    /// Time passes: wall and steady time both go on.
    void advance(std::chrono::microseconds duration) {
        steady_us_.fetch_add(duration.count());
        wall_us_.fetch_add(duration.count());
    }
    /// Someone sets the wall clock, forward or back; steady time does not notice.
    void set_wall(Timestamp time) { wall_us_.store(time.time_since_epoch().count()); }

private:
    std::atomic<std::int64_t> wall_us_{kStart.time_since_epoch().count()};
    std::atomic<std::int64_t> steady_us_{3'600'000'000};
};

}  // namespace nexa::fakes
