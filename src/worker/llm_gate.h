// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>

namespace nexa::worker {

/// Decides when the next request may go to an endpoint: so many at a time, so many in any minute,
/// and none before the endpoint itself wants one again. Plain; its owner guards it.
class LlmGate {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `per_minute` 0: no limit.
    LlmGate(int at_a_time, int per_minute)
        : at_a_time_(static_cast<std::size_t>(at_a_time)),
          per_minute_(static_cast<std::size_t>(per_minute)) {}

    /// Zero: entered. Else ask again after that time, or when somebody has left.
    std::chrono::nanoseconds enter(Time now);
    void leave() { --inside_; }
    /// The endpoint answered that it wants nothing before `until`.
    void hold_off(Time until) { closed_until_ = std::max(closed_until_, until); }

    std::size_t inside() const { return inside_; }

private:
    std::size_t at_a_time_;
    std::size_t per_minute_;
    std::size_t inside_ = 0;
    Time closed_until_{};
    std::deque<Time> entered_;  ///< the last `per_minute_` of them
};

}  // namespace nexa::worker
