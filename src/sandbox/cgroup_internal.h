// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/child_process.h"
#include "core/file.h"
#include "core/result.h"

namespace nexa::sandbox {

/// Where the control groups lie that this process is in.
struct CgroupFolders {
    std::optional<std::filesystem::path> unified;         ///< version 2
    std::map<std::string, std::filesystem::path> legacy;  ///< version 1, by controller
};

/// Reads /proc/self/cgroup and /proc/self/mountinfo. Lines that make no sense are skipped.
CgroupFolders find_cgroup_folders(std::string_view self_cgroup, std::string_view mountinfo);
/// The same for this process; empty where /proc does not say.
CgroupFolders find_own_cgroup_folders();

struct CgroupLimits {
    std::optional<std::uint64_t> memory_bytes = {};
    std::optional<std::uint64_t> processes = {};
};

/// What the groups made below some folders can do.
struct CgroupAbilities {
    bool memory = false;
    bool processes = false;
    bool kill = false;
    std::string detail;  ///< "version 1", "version 2", "both versions", or why not
};

/// The control groups of one job: one folder per hierarchy, removed on destruction.
class JobCgroup {
public:
    /// Makes them, with the limits that the hierarchies can hold. Errors: kPermissionDenied and
    /// others of the file system; kConflict if `name` is taken.
    static Result<JobCgroup> create(
        const CgroupFolders& folders, const std::string& name, const CgroupLimits& limits
    );
    JobCgroup(JobCgroup&&) noexcept = default;
    JobCgroup& operator=(JobCgroup&&) = delete;
    ~JobCgroup();

    const CgroupAbilities& abilities() const { return abilities_; }
    /// Puts the process that runs it into the groups. Valid as long as this object.
    PreExecStep join_step() const;
    /// Kills all members at once; false where the kernel cannot.
    bool kill() const;
    /// Members that were killed for want of memory.
    std::uint64_t memory_kills() const;
    /// Processes and threads that members could not start for the limit.
    std::uint64_t refused_processes() const;

private:
    /// Held by pointer, so that join_step() survives a move.
    struct Members {
        std::vector<UniqueFd> procs;
    };
    JobCgroup() : members_(std::make_unique<Members>()) {}
    Result<std::filesystem::path> add(const std::filesystem::path& parent, const std::string& name);
    Status add_unified(
        const std::filesystem::path& parent, const std::string& name, const CgroupLimits& limits
    );
    Status add_memory(
        const std::filesystem::path& parent, const std::string& name, const CgroupLimits& limits
    );
    Status add_processes(
        const std::filesystem::path& parent, const std::string& name, const CgroupLimits& limits
    );

    std::vector<std::filesystem::path> folders_;
    std::filesystem::path kill_file_;
    std::filesystem::path memory_events_;
    std::filesystem::path process_events_;
    std::unique_ptr<Members> members_;
    CgroupAbilities abilities_;
};

/// Removes the groups that a process of ours left behind when it was killed.
void remove_stale_cgroups(const CgroupFolders& folders);

/// "nexa-PID-N": the name by which remove_stale_cgroups knows its owner.
std::string cgroup_name(std::uint64_t number);

/// Makes a group and removes it again.
CgroupAbilities probe_cgroups(const CgroupFolders& folders);

}  // namespace nexa::sandbox
