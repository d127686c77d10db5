// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "core/result.h"
#include "net/task_group.h"
#include "worker/llm_session.h"

namespace nexa::worker {

/// FOLDER/llm.sock, where a job's engine asks its session. Thread-safe.
///
/// Four connections at a time; of each, kLlmOutstandingMax requests under way. Who sends what is no
/// request, or a line that is too long, is told so and cut off.
class LlmSocket {
public:
    /// Makes the socket and listens. `io` and `tasks` outlive it. Blocks shortly. Errors:
    /// kUnavailable.
    static Result<std::unique_ptr<LlmSocket>> listen(
        net::IoPool& io,
        net::TaskGroup& tasks,
        const std::filesystem::path& folder,
        std::shared_ptr<LlmSession> session
    );
    /// Cuts everyone off and cancels what is under way, without waiting for it.
    ~LlmSocket();
    LlmSocket(const LlmSocket&) = delete;
    LlmSocket& operator=(const LlmSocket&) = delete;

    LlmUsage usage() const { return session_->usage(); }

private:
    class Listener;
    LlmSocket(std::shared_ptr<LlmSession> session, std::filesystem::path path)
        : session_(std::move(session)), path_(std::move(path)) {}

    std::shared_ptr<LlmSession> session_;  // shared with the requests under way
    std::filesystem::path path_;
    std::shared_ptr<Listener> listener_;  // shared with its accept loop
    net::TaskHandle accepting_;
};

}  // namespace nexa::worker
