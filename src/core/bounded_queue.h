// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/mutex.h"
#include "core/result.h"

namespace nexa {

/// Hands values from threads that have them to threads that want them, first in, first out, never
/// more than `capacity` waiting. Thread-safe for any number of both. push and pop block up to
/// their deadline (of std::chrono::steady_clock, as Clock::steady_now gives it): never call them
/// from a coroutine. A refused value stays with the caller, unmoved.
template <class T>
class BoundedQueue {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    /// `capacity` is at least 1.
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) { NEXA_CHECK(capacity > 0); }
    BoundedQueue(const BoundedQueue&) = delete;
    BoundedQueue& operator=(const BoundedQueue&) = delete;

    /// Never waits for room. Errors: kResourceExhausted (full), kCancelled (closed).
    Status try_push(T&& value) {
        const Lock lock(mutex_);
        if (closed_) {
            return closed_error();
        }
        if (values_.size() == capacity_) {
            return Error::resource_exhausted("queue is full: {} wait already", capacity_);
        }
        put(std::move(value));
        return {};
    }

    /// Waits for room until `deadline`; one in the past is a try_push. Errors: kDeadlineExceeded
    /// (still full), kCancelled (closed, before or while waiting).
    Status push(T&& value, Deadline deadline) {
        const Lock lock(mutex_);
        while (!closed_ && values_.size() == capacity_) {
            if (!has_room_.wait_until(mutex_, deadline) && values_.size() == capacity_) {
                return closed_ ? closed_error()
                               : Error::deadline_exceeded("queue stayed full at {}", capacity_);
            }
        }
        if (closed_) {
            return closed_error();
        }
        put(std::move(value));
        return {};
    }

    /// Waits for a value until `deadline`; one in the past takes what is there. Errors:
    /// kDeadlineExceeded (none came), kCancelled (closed, and all values are taken).
    Result<T> pop(Deadline deadline) {
        const Lock lock(mutex_);
        while (values_.empty()) {
            if (closed_) {
                return closed_error();
            }
            if (!has_value_.wait_until(mutex_, deadline) && values_.empty()) {
                return closed_ ? closed_error() : Error::deadline_exceeded("queue stayed empty");
            }
        }
        T value = std::move(values_.front());
        values_.pop_front();
        has_room_.notify_one();
        return value;
    }

    /// Refuses new values from now on and wakes all who wait. What is inside can still be popped.
    void close() {
        const Lock lock(mutex_);
        closed_ = true;
        has_room_.notify_all();
        has_value_.notify_all();
    }

    bool closed() const {
        const Lock lock(mutex_);
        return closed_;
    }
    /// How many wait. Old news as soon as it is returned: for metrics.
    std::size_t size() const {
        const Lock lock(mutex_);
        return values_.size();
    }
    std::size_t capacity() const { return capacity_; }

private:
    static Error closed_error() { return Error::cancelled("queue is closed"); }

    void put(T&& value) NEXA_REQUIRES(mutex_) {
        values_.push_back(std::move(value));
        has_value_.notify_one();
    }

    const std::size_t capacity_;
    mutable Mutex mutex_;
    CondVar has_room_;
    CondVar has_value_;
    std::deque<T> values_ NEXA_GUARDED_BY(mutex_);
    bool closed_ NEXA_GUARDED_BY(mutex_) = false;
};

}  // namespace nexa
