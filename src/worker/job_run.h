// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/storage_paths.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "sandbox/sandbox.h"
#include "worker/held_job.h"
#include "worker/identity.h"
#include "worker/input_stager.h"
#include "worker/llm_service.h"
#include "worker/output_uploader.h"
#include "worker/result_sender.h"

namespace nexa::worker {

struct JobRunSettings {
    StoragePaths paths;
    std::filesystem::path engine;
    sandbox::Limits limits;  ///< the worker's own: a job's can only be tighter
    int threads = 0;         ///< for each engine; 0: all
    /// What a cancelled engine gets to end by itself.
    std::chrono::milliseconds cancel_grace{5'000};
};

/// One lease from the signed spec to the answered result. What ends it early: a lost lease
/// (everything is thrown away and nothing said), a cancellation, the worker's own end (the job is
/// handed back).
class JobRun {
public:
    struct Collaborators {
        const Clock& clock;
        const Identity& identity;
        InputStager& stager;
        OutputUploader& uploader;
        LlmService& llm;
        ResultSender& sender;
        sandbox::Sandbox& sandbox;
        net::WorkPool& engines;  ///< a thread for each slot: held as long as an engine runs
        net::WorkPool& disk;
        net::Signal& signal;
    };
    JobRun(
        Collaborators with,
        const JobRunSettings& settings,
        std::shared_ptr<HeldJob> job,
        protocol::LeasedJob lease
    )
        : with_(with), settings_(settings), job_(std::move(job)), lease_(std::move(lease)) {}

    /// Errors: kInvalidArgument (a lease whose id cannot be a folder), kCancelled. A job that fails
    /// is none: its result says so.
    net::Task<void> run();

private:
    net::Task<protocol::JobResult> attempt();
    net::Task<protocol::EngineResult> execute(protocol::JobSpec spec);
    protocol::Usage measured(const LlmSocket& llm);
    net::Task<void> prepare(protocol::JobSpec spec);
    Result<sandbox::Outcome> run_engine_blocking(const protocol::JobSpec& spec);
    net::Task<void> flush_reports();
    net::Task<void> send(protocol::JobResult result);
    std::filesystem::path work_folder() const { return folder_ / "work"; }
    std::filesystem::path inputs_folder() const { return folder_ / "inputs"; }

    Collaborators with_;
    const JobRunSettings& settings_;
    std::shared_ptr<HeldJob> job_;
    protocol::LeasedJob lease_;
    std::filesystem::path folder_;
};

/// The tighter of what the worker allows and what the spec asks; 0 in the spec is no limit of its
/// own.
sandbox::Limits limits_for(const sandbox::Limits& own, const protocol::JobSpec& spec);

}  // namespace nexa::worker
