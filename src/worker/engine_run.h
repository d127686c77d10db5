// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/result.h"
#include "protocol/engine.h"
#include "sandbox/sandbox.h"

namespace nexa::worker {

/// Splits what comes from the event pipe into events. What is no event is counted and passed over:
/// an engine's bad line must not end its job. Not thread-safe.
class EventReader {
public:
    static constexpr std::size_t kLineBytesMax = 64 * 1024;

    /// Calls `on_event` for each whole line in what has come so far.
    void feed(std::string_view bytes, const std::function<void(protocol::EngineEvent)>& on_event);
    std::uint64_t bad_lines() const { return bad_lines_; }

private:
    void take_line(const std::function<void(protocol::EngineEvent)>& on_event);

    std::string line_;
    bool too_long_ = false;
    std::uint64_t bad_lines_ = 0;
};

struct EngineJob {
    std::filesystem::path engine;
    std::filesystem::path folder;  ///< JOBDIR: absolute, with spec.json in it
    std::filesystem::path log;     ///< made anew, gets stdout and stderr
    std::map<std::string, std::string> environment;
    std::vector<sandbox::Input> inputs;
    sandbox::Limits limits;
};

/// What wants to know of a running engine. Called on the thread that is in run().
struct EngineWatcher {
    std::function<void(protocol::EngineEvent)> on_event;
    /// At least four times a second, and once after the end: how long the log is.
    std::function<void(std::int64_t log_bytes)> on_tick;
    int stop_fd = -1;  ///< end the job once this is readable
    /// How long after SIGTERM the job is killed, asked again while it ends; zero, or not given: at
    /// once, without SIGTERM.
    std::function<std::chrono::milliseconds()> grace = {};
};

/// Runs `nexa-engine run JOBDIR` in `sandbox` with descriptor 3 as event pipe, to its end or until
/// stopped. When it returns, nothing of the job runs. Blocking, for as long as the job takes.
/// Errors: those of Sandbox::start(); kUnavailable (the log cannot be made).
Result<sandbox::Outcome> run_engine(
    sandbox::Sandbox& sandbox, const EngineJob& job, const EngineWatcher& watcher
);

}  // namespace nexa::worker
