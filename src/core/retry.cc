// SPDX-License-Identifier: Apache-2.0
#include "core/retry.h"

#include <algorithm>

#include "core/check.h"

namespace nexa {

using std::chrono::microseconds;

Backoff::Backoff(const RetryPolicy& policy, Random& random, Time started)
    : policy_(policy), random_(random), started_(started) {
    NEXA_CHECK(policy.attempts >= 1);
    NEXA_CHECK(policy.base >= microseconds(0) && policy.cap >= microseconds(0));
    NEXA_CHECK(policy.retries != nullptr);
}

microseconds Backoff::ceiling() const {
    microseconds ceiling = policy_.base;
    for (int i = 1; i < failures_ && ceiling < policy_.cap; ++i) {
        // Doubling what is above half of the cap could overflow, and would be cut anyway.
        ceiling = ceiling > policy_.cap / 2 ? policy_.cap : ceiling * 2;
        if (ceiling == microseconds(0)) {
            break;
        }
    }
    return std::min(ceiling, policy_.cap);
}

std::optional<microseconds> Backoff::next_delay(ErrorCode failure, Time now) {
    ++failures_;
    if (failures_ >= policy_.attempts || !policy_.retries(failure)) {
        return std::nullopt;
    }
    const auto choices = static_cast<std::uint64_t>(ceiling().count()) + 1;
    const microseconds delay(static_cast<std::int64_t>(random_.uniform(choices)));
    // In microseconds: a limit near the largest would overflow in the clock's nanoseconds.
    if (std::chrono::ceil<microseconds>(now - started_) > policy_.total_max - delay) {
        return std::nullopt;
    }
    return delay;
}

}  // namespace nexa
