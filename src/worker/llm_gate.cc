// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_gate.h"

#include <algorithm>

namespace nexa::worker {

std::chrono::nanoseconds LlmGate::enter(Time now) {
    constexpr std::chrono::seconds kUntilSomebodyLeaves{1};
    constexpr std::chrono::minutes kWindow{1};
    if (now < closed_until_) {
        return closed_until_ - now;
    }
    if (per_minute_ > 0 && entered_.size() >= per_minute_) {
        const Time free_at = entered_.front() + kWindow;
        if (now < free_at) {
            return free_at - now;
        }
    }
    if (inside_ >= at_a_time_) {
        return kUntilSomebodyLeaves;
    }
    if (per_minute_ > 0) {
        if (entered_.size() >= per_minute_) {
            entered_.pop_front();
        }
        entered_.push_back(now);
    }
    ++inside_;
    return std::chrono::nanoseconds::zero();
}

}  // namespace nexa::worker
