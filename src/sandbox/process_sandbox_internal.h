// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "sandbox/cgroup_internal.h"
#include "sandbox/disk_usage_internal.h"
#include "sandbox/sandbox.h"

namespace nexa::sandbox {

/// The `process` kind: a guarded child, kernel limits, control groups where there are any, and a
/// watcher for the rest.
std::unique_ptr<Sandbox> make_process_sandbox(const SandboxOptions& options);

struct ProcessJobParts {
    std::optional<JobCgroup> group;  ///< before the child, which must be gone when it is removed
    ChildProcess child;
    std::filesystem::path work_folder;
    Limits limits;
    SandboxOptions options;
};

/// Watches a started child until it ends or goes over a limit. Errors: kResourceExhausted (no
/// thread, no descriptor); then the child is gone.
Result<std::unique_ptr<RunningJob>> watch_process_job(ProcessJobParts parts);

}  // namespace nexa::sandbox
