// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/mutex.h"
#include "net/pools.h"
#include "net/task.h"
#include "sandbox/sandbox.h"
#include "worker/control_client.h"
#include "worker/health.h"

namespace nexa::worker {

struct HealthWatchOptions {
    HealthLimits limits;
    std::filesystem::path folder;  ///< on whose disk jobs write
    std::string search_path;       ///< for nvidia-smi
    std::chrono::milliseconds pause = std::chrono::seconds(30);
};

/// Looks at the machine again and again and tells the server, so that a worker that cannot do jobs
/// well gets none, and gets some again when it can. Thread-safe.
class HealthWatch {
public:
    struct Collaborators {
        ControlClient& client;
        net::WorkPool& disk;
        const sandbox::Sandbox& sandbox;
        const Clock& clock;
    };
    HealthWatch(Collaborators with, HealthWatchOptions options)
        : with_(with), options_(std::move(options)) {}

    /// What the worker said of itself when it registered.
    void registered(std::string worker_id, int gpus);

    /// Looks once and tells the server. Errors: those of the heartbeat.
    net::Task<void> look();
    /// Looks until cancelled. `on_more_gpus`: there are more than were registered.
    net::Task<void> run(std::function<void()> on_more_gpus);

private:
    struct Known {
        std::string worker_id;
        int gpus = 0;
        std::optional<std::chrono::milliseconds> clock_offset;
        std::vector<protocol::HealthProblem> told;
    };
    HealthReading read() const;
    net::Task<void> tell(HealthReading reading);
    Known known();
    void note_told(
        const std::vector<protocol::HealthProblem>& problems,
        std::optional<std::chrono::milliseconds> clock_offset
    );

    Collaborators with_;
    const HealthWatchOptions options_;
    Mutex mutex_;
    Known known_ NEXA_GUARDED_BY(mutex_);
    std::atomic<int> gpus_seen_ = 0;
};

}  // namespace nexa::worker
