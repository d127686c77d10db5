// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/run_manifest.h"

namespace nexa::pipelines {

struct RunOptions {
    std::filesystem::path dir;
    int event_fd = -1;  ///< -1: no events
    int log_fd = -1;    ///< for people; -1: no log
};

struct RunCollaborators {
    const Clock& clock;
    const CancelToken& cancel;
    RunCode code = {};  ///< of the program, for manifests
};

/// Runs the job that lies in `dir`: spec.json and inputs/ in, outputs/ and result.json out.
/// result.json is written whole or not at all, also for a job that failed: then it holds the error.
/// Blocks until the job ends. Errors: those of a folder that cannot be used; the job's own failure
/// is returned after it was written down.
Status run_job(const RunOptions& options, const RunCollaborators& with);

}  // namespace nexa::pipelines
