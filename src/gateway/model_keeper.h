// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "gateway/runner_plan.h"
#include "gateway/served_model.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task_group.h"

namespace nexa::gateway {

struct KeeperOptions {
    std::filesystem::path engine;
    std::filesystem::path run_folder;  ///< exists; ours alone
    std::chrono::milliseconds load_max{600'000};
    std::chrono::milliseconds fetch_again{5'000};  ///< after a fetch that failed
    /// What is wrong with the files themselves stays so, and to find out costs all their bytes: the
    /// pause doubles up to this.
    std::chrono::milliseconds fetch_again_max{300'000};
    std::chrono::milliseconds drain_max{30'000};  ///< for requests of a model that goes
    std::chrono::milliseconds end_grace{5'000};   ///< for a runner, from SIGTERM to SIGKILL
    RunnerPlanOptions plan = {};
};

/// Keeps models served: lays out a model's files, starts its runner, watches it, starts it again.
/// One coroutine for each model; thread-safe.
class ModelKeeper {
public:
    /// Lays out a model's files; gives up once `token` is cancelled. Errors: whatever went wrong.
    using Fetch = std::function<net::Task<void>(ModelSpec spec, CancelToken token)>;
    /// Removes the folder of a model that is served no more, and what was kept for it.
    using Discard = std::function<net::Task<void>(ModelSpec spec)>;

    struct Collaborators {
        const Clock& clock;
        net::IoPool& io;
        net::TaskGroup& links;                 ///< outlives every keep()
        net::WorkPool& children;               ///< where starting and ending runners blocks
        Fetch fetch = {};                      ///< for models with files to fetch
        Discard discard = {};                  ///< likewise
        std::function<void()> on_change = {};  ///< a model stands otherwise than before
    };
    ModelKeeper(Collaborators with, KeeperOptions options)
        : with_(std::move(with)), options_(std::move(options)) {}

    /// Serves until the model is retired; then drains it, ends its runner and, if it is undeployed
    /// and its files were fetched, removes its folder. Only a cancellation ends it otherwise.
    net::Task<void> keep(std::shared_ptr<ServedModel> model);
    /// Ends the keep() of that model: it is undeployed.
    void undeploy(ServedModel& model) { retire(model, true); }
    /// The same, but its files stay for the next start.
    void stop(ServedModel& model) { retire(model, false); }

private:
    class Keeping;

    void retire(ServedModel& model, bool is_undeployed);

    const Collaborators with_;
    const KeeperOptions options_;
    net::Signal signal_;  ///< by deployment: its link ended, or it is retired
    std::atomic<std::uint64_t> last_number_ = 0;
};

}  // namespace nexa::gateway
