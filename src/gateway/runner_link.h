// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/mutex.h"
#include "gateway/generation.h"
#include "net/pools.h"
#include "net/task.h"
#include "net/task_group.h"
#include "protocol/runner_frames.h"

namespace nexa::gateway {

/// A conversation with a runner over its socket: any number of requests side by side. Thread-safe.
class RunnerLink : public std::enable_shared_from_this<RunnerLink> {
public:
    struct Collaborators {
        net::IoPool& io;
        net::TaskGroup& tasks;  ///< reads and writes until the link ends
    };
    /// Of requests that the runner has not read yet.
    static constexpr std::size_t kUnsentBytesMax = std::size_t{64} << 20U;

    /// Connects and says hello. `on_end` is called once, on an io thread, when the link has ended.
    /// Errors: kUnavailable (nobody listens, or it hung up), kMalformed (it speaks otherwise).
    static net::Task<std::shared_ptr<RunnerLink>> open(
        Collaborators with,
        std::filesystem::path socket,
        std::function<void()> on_end,
        std::size_t unsent_bytes_max = kUnsentBytesMax
    );
    ~RunnerLink();

    /// Sends a request, under an id of the link's own. Errors: kUnavailable (the link has ended),
    /// kResourceExhausted (too much waits to be sent). What else is wrong comes from next().
    Result<std::unique_ptr<RunningGeneration>> generate(protocol::GenerateRequest request);
    /// Requests that have not ended.
    std::size_t running() const;
    bool has_ended() const;
    /// Hangs up at once, also on a runner that reads nothing; requests that run fail. Never blocks.
    /// Repeatable.
    void close();

private:
    struct Wire;
    explicit RunnerLink(std::unique_ptr<Wire> wire);

    static net::Task<void> read_all(std::shared_ptr<RunnerLink> self);
    static net::Task<void> write_all(std::shared_ptr<RunnerLink> self);
    net::Task<void> greet();
    Status start(net::TaskGroup& tasks);
    Status take_all(const std::vector<std::string>& lines);
    Status on(const protocol::RunnerReady&);
    Status on(const protocol::RunnerDelta& delta);
    Status on(const protocol::RunnerDone& done);
    Status on(const protocol::RunnerFailed& failed);
    std::shared_ptr<Generation> find(const std::string& id);
    std::shared_ptr<Generation> remove(const std::string& id);
    void stop(const std::string& id);
    void end(const Error& why);

    std::unique_ptr<Wire> wire_;
    std::function<void()> on_end_;
    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<Generation>> generations_ NEXA_GUARDED_BY(mutex_);
    std::uint64_t last_id_ NEXA_GUARDED_BY(mutex_) = 0;
    bool has_ended_ NEXA_GUARDED_BY(mutex_) = false;
};

}  // namespace nexa::gateway
