// SPDX-License-Identifier: Apache-2.0
#include "net/signal.h"

#include <utility>
#include <vector>

namespace nexa::net {

Signal::Subscription Signal::subscribe(std::string key) {
    return Subscription(*this, std::move(key));
}

void Signal::notify(const std::string& key, std::size_t at_most) {
    std::vector<Done<void>> woken;
    {
        const Lock lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end()) {
            return;
        }
        for (Entry& entry : found->second) {
            if (at_most == 0) {
                break;
            }
            if (entry.notified) {
                continue;
            }
            entry.notified = true;
            --at_most;
            if (auto waiter = std::exchange(entry.waiter, std::nullopt)) {
                woken.push_back(*std::move(waiter));
            }
        }
    }
    for (const Done<void>& done : woken) {
        done({});
    }
}

Signal::Subscription::Subscription(Signal& signal, std::string key)
    : signal_(signal), key_(std::move(key)) {
    const Lock lock(signal_.mutex_);
    Entries& entries = signal_.entries_[key_];
    entry_ = entries.emplace(entries.end());
}

Signal::Subscription::~Subscription() {
    std::optional<Done<void>> waiter;  // destroyed without the lock
    bool unused = false;
    {
        const Lock lock(signal_.mutex_);
        const auto found = signal_.entries_.find(key_);
        waiter = std::move(entry_->waiter);
        unused = entry_->notified;
        found->second.erase(entry_);
        if (found->second.empty()) {
            signal_.entries_.erase(found);
        }
    }
    if (unused) {
        signal_.notify(key_, 1);
    }
}

Task<bool> Signal::Subscription::wait(std::chrono::nanoseconds duration) {
    auto start = [this](Done<void> done) {
        bool over = false;
        {
            const Lock lock(signal_.mutex_);
            over = entry_->notified;
            if (!over) {
                entry_->waiter = done;
            }
        }
        if (over) {
            done({});
        }
    };
    Task<void> notified = await_callback<void>(std::move(start));
    const Status ended = co_await with_deadline(std::move(notified), duration);
    std::optional<Done<void>> leftover;  // destroyed without the lock
    const bool cancelled = !ended && ended.error().code != ErrorCode::kDeadlineExceeded;
    bool was_notified = false;
    {
        const Lock lock(signal_.mutex_);
        leftover = std::exchange(entry_->waiter, std::nullopt);
        was_notified = entry_->notified;
        entry_->notified = was_notified && cancelled;
    }
    if (cancelled) {
        co_return ended.error();
    }
    co_return was_notified;
}

}  // namespace nexa::net
