// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/cancel.h"
#include "fakes/manual_clock.h"

namespace nexa::fakes {

/// Sleeps by moving a ManualClock, at once, and keeps what was asked. For one thread.
class ManualSleeper final : public Sleeper {
public:
    explicit ManualSleeper(ManualClock& clock) : clock_(clock) {}

    Status sleep_for(std::chrono::microseconds duration) override {
        if (cancelled) {
            return Error::cancelled("the wait was cancelled");
        }
        slept.push_back(duration);
        clock_.advance(duration);
        return {};
    }

    std::vector<std::chrono::microseconds> slept;
    bool cancelled = false;  ///< every further sleep fails

private:
    ManualClock& clock_;
};

}  // namespace nexa::fakes
