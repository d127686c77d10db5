// SPDX-License-Identifier: Apache-2.0
#include "core/cancel.h"

#include <algorithm>

namespace nexa {

namespace internal {

void CancelState::cancel() {
    const Lock lock(mutex_);
    cancelled_.store(true, std::memory_order_release);
    changed_.notify_all();
}

bool CancelState::wait_until(std::chrono::steady_clock::time_point deadline) {
    const Lock lock(mutex_);
    while (!cancelled()) {
        if (!changed_.wait_until(mutex_, deadline)) {
            break;
        }
    }
    return cancelled();
}

}  // namespace internal

Status CancelToken::check() const {
    if (cancelled()) {
        return Error::cancelled("the work was cancelled");
    }
    return {};
}

bool CancelToken::wait_until(std::chrono::steady_clock::time_point deadline) const {
    if (state_) {
        return state_->wait_until(deadline);
    }
    return internal::CancelState().wait_until(deadline);
}

Status SystemSleeper::sleep_for(std::chrono::microseconds duration) {
    // A year is for ever, and adding it to the present does not overflow.
    const auto bounded = std::min<std::chrono::microseconds>(duration, std::chrono::years(1));
    if (token_.wait_until(std::chrono::steady_clock::now() + bounded)) {
        return Error::cancelled("the wait was cancelled");
    }
    return {};
}

}  // namespace nexa
