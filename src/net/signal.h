// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/mutex.h"
#include "net/task.h"

namespace nexa::net {

/// Lets coroutines wait until somebody says that something changed under a key, without a lost
/// wake-up: subscribe, look, and if there is nothing to see, wait. Thread-safe. Outlives its
/// subscriptions.
class Signal {
public:
    class Subscription;

    Signal() = default;
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;

    Subscription subscribe(std::string key);

    /// Wakes up to `at_most` subscriptions to `key`, longest subscribed first; one that is not
    /// waiting now finds its next wait over at once. One that ends without that wait hands its
    /// wake-up to another. Never blocks.
    void notify(const std::string& key, std::size_t at_most = SIZE_MAX);

private:
    struct Entry {
        bool notified = false;
        std::optional<Done<void>> waiter;
    };
    using Entries = std::list<Entry>;

    Mutex mutex_;
    std::map<std::string, Entries> entries_ NEXA_GUARDED_BY(mutex_);
};

/// One interest in one key; gone when destroyed. For one coroutine.
class Signal::Subscription {
public:
    Subscription(Signal& signal, std::string key);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    /// True once notified since the last wait, false after `duration`. Errors: kCancelled.
    Task<bool> wait(std::chrono::nanoseconds duration);

private:
    Signal& signal_;
    std::string key_;
    Signal::Entries::iterator entry_;
};

}  // namespace nexa::net
