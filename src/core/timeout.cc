// SPDX-License-Identifier: Apache-2.0
#include "core/timeout.h"

#include <atomic>
#include <thread>

namespace nexa {

namespace {

constexpr int kRunawaysMax = 64;

/// Of the whole process, as its threads are. Never destroyed before the last of them.
std::atomic<int> runaways{0};

}  // namespace

int runaway_threads() {
    return runaways.load();
}

namespace internal {

Status TimedRun::start(const std::shared_ptr<TimedRun>& run, std::function<void()> work) {
    if (runaways.load() >= kRunawaysMax) {
        return Error::resource_exhausted(
            "{} threads run on behind timeouts already, no more are started", kRunawaysMax
        );
    }
    const auto body = [run, work = std::move(work)]() mutable {
        work();
        work = nullptr;  // what the work owns ends before anybody hears that it did
        run->finish();
    };
    // std::thread throws where the system has no thread left.
    const Status started = guard([&body] { std::thread(body).detach(); });
    if (!started) {
        return Error::resource_exhausted("cannot start a thread: {}", started.error().message);
    }
    return {};
}

void TimedRun::finish() {
    const Lock lock(mutex_);
    is_done_ = true;
    if (is_abandoned_) {
        runaways.fetch_sub(1);
    }
    ended_.notify_all();
}

bool TimedRun::wait_until(std::chrono::steady_clock::time_point deadline) {
    {
        const Lock lock(mutex_);
        while (!is_done_) {
            if (!ended_.wait_until(mutex_, deadline)) {
                break;
            }
        }
        if (is_done_) {
            return true;
        }
        is_abandoned_ = true;
        runaways.fetch_add(1);
    }
    source_.cancel();
    return false;
}

Error timeout_error(std::chrono::microseconds limit) {
    return Error::deadline_exceeded(
        "the work did not end within {} ms",
        std::chrono::duration<double, std::milli>(limit).count()
    );
}

}  // namespace internal

}  // namespace nexa
