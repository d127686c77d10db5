// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/file.h"
#include "core/mutex.h"
#include "core/random.h"
#include "core/secrets.h"
#include "core/storage_paths.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task_group.h"
#include "sandbox/sandbox.h"
#include "storage/blob_store.h"
#include "worker/control_client.h"
#include "worker/health_watch.h"
#include "worker/held_job.h"
#include "worker/identity.h"
#include "worker/input_stager.h"
#include "worker/job_run.h"
#include "worker/llm_service.h"
#include "worker/output_uploader.h"
#include "worker/reporter.h"
#include "worker/result_sender.h"

namespace nexa::worker {

struct AgentSettings {
    StoragePaths paths;
    std::filesystem::path engine;
    std::string server_url = "http://127.0.0.1:8000";
    std::string name;
    std::string pool = "default";
    int slots = 1;
    sandbox::Limits limits;              ///< of each job
    std::chrono::seconds poll_wait{20};  ///< a long poll
    std::chrono::seconds drain_time{60
    };  ///< for running jobs to end after drain(); then they are handed back
    std::chrono::milliseconds cancel_grace{5'000};  ///< from SIGTERM to SIGKILL
    std::int64_t inputs_bytes_max = 0;              ///< kept from earlier jobs; 0: no limit
    HealthLimits health;
    std::chrono::milliseconds health_pause{30'000};  ///< between two looks at the machine
    std::string search_path;  ///< where programs of the machine are, as PATH says
};

/// A worker: registers, takes as many jobs as it has slots, runs them, and ends when it is told to.
class Agent {
public:
    struct Collaborators {
        const Clock& clock;
        Random& random;
        net::IoPool& io;
        net::HttpClient& http;
        net::WorkPool& engines;  ///< at least `slots` threads
        net::WorkPool& disk;
        sandbox::Sandbox& sandbox;
        LlmService& llm;
    };

    /// Locks the worker's folders, clears what earlier runs have left and reads or makes its key.
    /// Blocking. Errors: kConflict (the folder is another worker's), kNotFound (no such engine),
    /// kUnavailable, those of Identity.
    static Result<std::unique_ptr<Agent>> open(
        AgentSettings settings, Collaborators with, Secret api_key
    );
    /// Ends what run() may have left. Blocking, not on an io thread.
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    /// Registers, for as long as it takes, and works until drained: then OK. Errors:
    /// kUnauthenticated, kPermissionDenied (the server does not take the key or the worker),
    /// kInvalidArgument (name, pool), kConflict.
    net::Task<void> run();

    /// Takes no more jobs and lets run() end when the running ones have. Thread-safe, repeatable.
    void drain();
    /// The same, but hands running jobs back at once.
    void stop_now();

private:
    Agent(AgentSettings settings, Collaborators with, Secret api_key, Identity identity);

    net::Task<void> register_worker();
    net::Task<protocol::HardwareProfile> read_profile();
    net::Task<void> register_again();
    net::Task<void> take_jobs();
    net::Task<void> take_jobs_until_ended();
    net::Task<protocol::NextJobReply> poll(int slots);
    void start(protocol::LeasedJob lease, SteadyTime received_at);
    net::Task<void> hold(std::shared_ptr<HeldJob> job, protocol::LeasedJob lease);
    net::Task<void> stop_polling(net::TaskHandle poller);
    net::Task<void> wind_down(bool is_refused);
    net::Task<void> wait_for_jobs(std::chrono::nanoseconds time_max, bool until_stop_now);
    void stop_jobs(StopReason reason);
    void tell(std::atomic<bool>& flag);

    AgentSettings settings_;
    Collaborators with_;
    JobRunSettings run_settings_;
    UniqueFd lock_;
    Identity identity_;
    std::unique_ptr<storage::BlobStore> cache_;
    ControlClient client_;
    Outbox outbox_;
    net::Signal signal_;
    HeldJobs jobs_;
    std::optional<InputStager> stager_;
    OutputUploader uploader_;
    ResultSender sender_;
    std::optional<Reporter> reporter_;
    HealthWatch health_;
    std::atomic<int> gpus_per_slot_ = 0;
    std::atomic<bool> has_more_gpus_ = false;
    std::atomic<bool> draining_ = false;
    std::atomic<bool> stop_now_ = false;
    std::atomic<bool> polling_ended_ = false;
    Mutex mutex_;
    Status poll_status_ NEXA_GUARDED_BY(mutex_);
    net::TaskGroup group_;
};

}  // namespace nexa::worker
