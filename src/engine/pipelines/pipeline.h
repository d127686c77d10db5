// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/run_manifest.h"
#include "engine/pipelines/event_sink.h"
#include "protocol/engine.h"

namespace nexa::pipelines {

/// What a pipeline works with: its spec, the folders of the job, and nothing else of the world.
struct Job {
    protocol::EngineSpec spec;
    std::filesystem::path dir;
    EventSink& events;
    const CancelToken& cancel;
    const Clock& clock;
    RunCode code = {};  ///< which program this is, for manifests

    /// DIR/inputs/<name>, if the spec lists that input.
    std::optional<std::filesystem::path> input(std::string_view name) const;
    /// The same where there is no job without it. Errors: kInvalidArgument at the spec's `field`.
    Result<std::filesystem::path> needed_input(std::string_view name, std::string_view field) const;
    /// DIR/outputs/<name>, made.
    Result<std::filesystem::path> make_output(std::string_view name) const;
    /// The folder <name> among the job's own work, made: stays where a job ends early, no output.
    Result<std::filesystem::path> make_work(std::string_view name) const;
    /// The id of what this job makes of a kind.
    std::string artifact_id(std::string_view kind) const;
    /// Processor threads to use: as the spec says, or all.
    int threads() const;
};

/// Runs one job to its end. Writes under outputs/, and under work/ what a next try goes on from. An
/// Error is the job's failure; its code decides whether the job is tried again. Exceptions of
/// libraries may pass: the caller guards.
using Runner = Result<protocol::EngineResult> (*)(Job& job);

struct RunnerRow {
    std::string_view job_type;
    Runner run;
};

/// One row per job type that an engine runs.
std::span<const RunnerRow> runners();

/// Errors: kNotFound.
Result<Runner> find_runner(std::string_view job_type);

}  // namespace nexa::pipelines
