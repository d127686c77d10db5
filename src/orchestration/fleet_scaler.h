// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"
#include "core/log.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "net/task_group.h"
#include "orchestration/backend.h"
#include "orchestration/pool_scaler.h"
#include "protocol/scaling_views.h"

namespace nexa::orchestration {

struct FleetScalerOptions {
    std::vector<ScalingPoolSettings> pools;
    std::map<std::string, std::string> environment;  ///< of the commands
    std::filesystem::path folder;                    ///< for files of running commands
};

/// Starts and ends the workers of pools, as their queues need: looks at each pool again and again,
/// tells its command or webhook how many to start, and drains those that have nothing to do. Of
/// several coordinators one does that for a pool. Thread-safe; collaborators outlive it.
class FleetScaler {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        const Clock& clock;
        net::HttpClient& http;
        net::Signal& pool_signal;
    };
    FleetScaler(Collaborators with, FleetScalerOptions options);
    ~FleetScaler();
    FleetScaler(const FleetScaler&) = delete;
    FleetScaler& operator=(const FleetScaler&) = delete;

    /// Errors: kInvalidArgument (a pool twice, more wanted than allowed).
    static Status check(const std::vector<ScalingPoolSettings>& pools);

    /// Spawns a task for each pool, which runs until cancelled.
    Status start(net::TaskGroup& tasks);
    /// Ends running commands soon. Never blocks.
    void stop() { stopped_ = true; }

    /// What was last found of each configured pool, by whichever coordinator.
    net::Task<std::vector<protocol::ScalingPoolView>> list();

private:
    struct Pool {
        explicit Pool(ScalingPoolSettings settings) : scaler(std::move(settings)) {}
        PoolScaler scaler;
        std::optional<protocol::ScalingCallView> last_call;
        std::vector<protocol::DrainedWorker> untold;  ///< until a call succeeded
    };

    net::Task<void> watch(std::size_t index);
    net::Task<void> look(std::size_t index);
    net::Task<std::vector<protocol::DrainedWorker>> drain(std::vector<PoolWorker> workers);
    /// `started`: machines are on their way, even if the call as a whole fails.
    net::Task<void> call(std::size_t index, protocol::ScalingRequest request, bool& started);
    net::Task<void> run_command(std::size_t index, std::string body);
    net::Task<void> post(std::size_t index, std::string body);
    net::Task<void> keep(protocol::ScalingPoolView view);

    Collaborators with_;
    const FleetScalerOptions options_;
    const std::string holder_;
    std::vector<std::unique_ptr<Pool>> pools_;
    std::atomic<bool> stopped_ = false;
    Logger log_ = get_logger("orchestration.scaling");
    /// A thread for each pool: a command may block for a minute.
    net::WorkPool commands_;
};

}  // namespace nexa::orchestration
