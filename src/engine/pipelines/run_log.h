// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/mutex.h"
#include "protocol/engine.h"

namespace nexa::pipelines {

/// What a run does, as dated lines for people, on a file descriptor: the log that its owner reads.
/// Progress and metrics are thinned out to one line a second and phase each; the first and the
/// last progress of a phase always go out. A file that cannot be written is no error. Thread-safe.
class RunLog {
public:
    /// `fd` stays the caller's; -1 drops everything. `clock` outlives it.
    RunLog(int fd, const Clock& clock) : fd_(fd), clock_(clock) {}

    /// Line ends inside `text` become spaces.
    void line(std::string_view text) NEXA_EXCLUDES(mutex_);
    void note(const protocol::EngineEvent& event) NEXA_EXCLUDES(mutex_);

private:
    bool is_due(const protocol::EngineEvent& event) NEXA_REQUIRES(mutex_);
    void write(std::string_view text) NEXA_REQUIRES(mutex_);

    const int fd_;
    const Clock& clock_;
    Mutex mutex_;
    std::string phase_ NEXA_GUARDED_BY(mutex_);
    std::optional<std::chrono::steady_clock::time_point> last_progress_ NEXA_GUARDED_BY(mutex_);
    std::optional<std::chrono::steady_clock::time_point> last_metrics_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::pipelines
