// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/mutex.h"
#include "engine/pipelines/run_log.h"
#include "protocol/engine.h"

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
/// job goes on. What goes out is also noted in a log for people. Thread-safe.
class EventSink {
public:
    /// `fd` stays the caller's; -1: no events. `clock` and `log` (null: none) outlive it.
    EventSink(int fd, const Clock& clock, RunLog* log = nullptr)
        : fd_(fd), clock_(clock), log_(log) {}

    void progress(const Progress& progress) NEXA_EXCLUDES(mutex_);
    /// Numbers of this moment: loss, learning rate, tokens a second.
    void metrics(std::string_view phase, std::int64_t step, std::map<std::string, double> values)
        NEXA_EXCLUDES(mutex_);
    /// A sentence for people.
    void say(std::string_view phase, std::string message) NEXA_EXCLUDES(mutex_);

private:
    void send(const protocol::EngineEvent& event) NEXA_REQUIRES(mutex_);

    const int fd_;
    const Clock& clock_;
    RunLog* const log_;
    Mutex mutex_;
    std::string phase_ NEXA_GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point phase_began_ NEXA_GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point last_line_ NEXA_GUARDED_BY(mutex_);
    bool reader_gone_ NEXA_GUARDED_BY(mutex_) = false;
};

}  // namespace nexa::pipelines
