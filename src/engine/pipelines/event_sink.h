// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/mutex.h"

namespace nexa::pipelines {

/// Where a phase stands.
struct Progress {
    std::string_view phase;
    std::int64_t done = 0;
    std::int64_t total = 0;  ///< 0: unknown
    std::string_view unit;   ///< rows, steps, tokens, samples
};

/// Says what the engine is doing, as one JSON line an event (protocol::EngineEvent) on a file
/// descriptor. Rate and time left are worked out here, and progress is thinned out to a few lines a
/// second; the first and the last of a phase always go out. A reader that has gone is no error: the
/// job goes on. Thread-safe.
class EventSink {
public:
    /// `fd` stays the caller's; -1 drops everything.
    EventSink(int fd, const Clock& clock) : fd_(fd), clock_(clock) {}

    void progress(const Progress& progress) NEXA_EXCLUDES(mutex_);
    /// Numbers of this moment: loss, learning rate, tokens a second.
    void metrics(std::string_view phase, std::int64_t step, std::map<std::string, double> values)
        NEXA_EXCLUDES(mutex_);
    /// A sentence for people.
    void say(std::string_view phase, std::string message) NEXA_EXCLUDES(mutex_);

private:
    void write_line(std::string line) NEXA_REQUIRES(mutex_);

    const int fd_;
    const Clock& clock_;
    Mutex mutex_;
    std::string phase_ NEXA_GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point phase_began_ NEXA_GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point last_line_ NEXA_GUARDED_BY(mutex_);
    bool reader_gone_ NEXA_GUARDED_BY(mutex_) = false;
};

}  // namespace nexa::pipelines
