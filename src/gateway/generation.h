// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/mutex.h"
#include "net/task.h"
#include "protocol/runner_frames.h"

namespace nexa::gateway {

/// How many tokens an answer has taken so far, as its runner counts them; zero before its first
/// word.
struct TokenCounts {
    std::int64_t prompt = 0;
    std::int64_t completion = 0;

    friend bool operator==(const TokenCounts&, const TokenCounts&) = default;
};

/// What has come of an answer since it was last asked for.
struct GenerationStep {
    std::string text;
    TokenCounts tokens;
    std::optional<std::string> finish_reason;  ///< set once it has ended
};

/// The place where an answer arrives, from the runner's connection to the one request that waits
/// for it. Text that is not fetched is joined, so that it never holds more than the answer itself.
/// Thread-safe; one reader.
class Generation {
public:
    /// Waits for text or for the end. Not after the end. Errors: what the runner said, or
    /// kUnavailable if it went; kCancelled.
    net::Task<GenerationStep> next();

    void append(const protocol::RunnerDelta& delta);
    // The first of these two counts.
    void finish(const protocol::RunnerDone& done);
    void fail(Error error);
    /// Also of what nobody has fetched yet.
    TokenCounts tokens() const;

private:
    std::optional<Result<GenerationStep>> take();
    /// Now if there is something to take, else when there is.
    void call_when_there(net::Done<void> done);
    void wake();

    mutable Mutex mutex_;
    GenerationStep pending_ NEXA_GUARDED_BY(mutex_);
    std::optional<Error> error_ NEXA_GUARDED_BY(mutex_);
    std::optional<net::Done<void>> reader_ NEXA_GUARDED_BY(mutex_);
};

/// A Generation that its runner is told to stop when the one who asked lets go of it.
class RunningGeneration {
public:
    using Stop = std::function<void()>;

    RunningGeneration(std::shared_ptr<Generation> generation, Stop stop)
        : generation_(std::move(generation)), stop_(std::move(stop)) {}
    ~RunningGeneration() { stop_(); }
    RunningGeneration(const RunningGeneration&) = delete;
    RunningGeneration& operator=(const RunningGeneration&) = delete;

    net::Task<GenerationStep> next() { return generation_->next(); }
    TokenCounts tokens() const { return generation_->tokens(); }

private:
    std::shared_ptr<Generation> generation_;
    Stop stop_;
};

}  // namespace nexa::gateway
