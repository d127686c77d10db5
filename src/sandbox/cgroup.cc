// SPDX-License-Identifier: Apache-2.0
#include "sandbox/cgroup_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "core/os_error.h"

namespace nexa::sandbox {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFileBytesMax = 1 << 20;
constexpr std::string_view kNamePrefix = "nexa-";
constexpr int kRemoveRetries = 200;
constexpr timespec kRemovePause{.tv_sec = 0, .tv_nsec = 5'000'000};

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

std::uint64_t to_number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// The group at `path` of a hierarchy of which the part below `root` is mounted at `mount`.
fs::path group_at(std::string_view mount, std::string_view root, std::string_view path) {
    if (root != "/") {
        // Mounted by a container runtime: our path may or may not be told from the host's view.
        path = path.starts_with(root) ? path.substr(root.size()) : "/";
    }
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    return path.empty() || path.starts_with("..") ? fs::path(mount) : fs::path(mount) / path;
}

struct Mount {
    std::string_view root;  ///< what part of the file system is mounted
    std::string_view place;
    std::string_view type;
    std::vector<std::string_view> options;
};

/// Reads "36 31 0:33 ROOT PLACE rw … - TYPE source OPTIONS".
std::optional<Mount> parse_mount(std::string_view line) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto mount = split(line.substr(0, dash), ' ');
    const auto system = split(line.substr(dash + 3), ' ');
    if (mount.size() < 5 || system.size() < 3) {
        return std::nullopt;
    }
    return Mount{
        .root = mount[3], .place = mount[4], .type = system[0], .options = split(system[2], ',')
    };
}

bool has_file(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

Status write_text(const fs::path& path, std::string_view text) {
    const std::string what = fmt::format("write '{}' to '{}'", text, path.string());
    const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) {
        return os_error(errno, what);
    }
    return write_all(fd.get(), text, what);
}

/// Writes `limit` where there is one to write.
Status set_limit(const fs::path& path, const std::optional<std::uint64_t>& limit) {
    return limit ? write_text(path, std::to_string(*limit)) : Status();
}

/// The same where the kernel may have no such file: without swap accounting there is none.
Status set_limit_if_there(const fs::path& path, const std::optional<std::uint64_t>& limit) {
    return has_file(path) ? set_limit(path, limit) : Status();
}

/// The number behind `key` in a file of "key number" lines; 0 if there is none.
std::uint64_t read_count(const fs::path& path, std::string_view key) {
    const auto text = read_file(path, kFileBytesMax);
    if (!text) {
        return 0;
    }
    for (const std::string_view line : split(*text, '\n')) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) {
            return to_number(line.substr(key.size() + 1));
        }
    }
    return 0;
}

int join_groups(const void* context) noexcept {
    const auto& fds = *static_cast<const std::vector<UniqueFd>*>(context);
    for (const UniqueFd& fd : fds) {
        if (write(fd.get(), "0", 1) != 1) {
            return errno == 0 ? EIO : errno;
        }
    }
    return 0;
}

void remove_group(const fs::path& folder) {
    // A group is busy until its last member is collected, which can take the kernel a moment.
    for (int i = 0; i < kRemoveRetries && rmdir(folder.c_str()) != 0 && errno == EBUSY; ++i) {
        nanosleep(&kRemovePause, nullptr);
    }
}

}  // namespace

CgroupFolders find_cgroup_folders(std::string_view self_cgroup, std::string_view mountinfo) {
    std::map<std::string, std::string_view> paths;  // by controller; "" is version 2
    for (const std::string_view line : split(self_cgroup, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() == 3) {
            for (const std::string_view controller : split(fields[1], ',')) {
                paths.emplace(controller, fields[2]);
            }
        }
    }
    CgroupFolders folders;
    for (const std::string_view line : split(mountinfo, '\n')) {
        const auto mount = parse_mount(line);
        if (!mount) {
            continue;
        }
        if (mount->type == "cgroup2" && paths.contains("")) {
            folders.unified = group_at(mount->place, mount->root, paths[""]);
        }
        // Version 1 names its controllers among the options.
        for (const auto& [controller, path] : paths) {
            if (mount->type == "cgroup" &&
                std::ranges::find(mount->options, controller) != mount->options.end()) {
                folders.legacy[controller] = group_at(mount->place, mount->root, path);
            }
        }
    }
    return folders;
}

CgroupFolders find_own_cgroup_folders() {
    const auto groups = read_file("/proc/self/cgroup", kFileBytesMax);
    const auto mounts = read_file("/proc/self/mountinfo", kFileBytesMax);
    return groups && mounts ? find_cgroup_folders(*groups, *mounts) : CgroupFolders();
}

Result<fs::path> JobCgroup::add(const fs::path& parent, const std::string& name) {
    fs::path folder = parent / name;
    if (mkdir(folder.c_str(), 0755) != 0) {
        return os_error(errno, fmt::format("make control group '{}'", folder.string()));
    }
    folders_.push_back(folder);
    UniqueFd procs(open((folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (!procs) {
        return os_error(errno, fmt::format("open control group '{}'", folder.string()));
    }
    members_->procs.push_back(std::move(procs));
    return folder;
}

Status JobCgroup::add_unified(
    const fs::path& parent, const std::string& name, const CgroupLimits& limits
) {
    // Refused where the parent has members of its own, as it must outside the root; then version 2
    // can only kill.
    static_cast<void>(write_text(parent / "cgroup.subtree_control", "+memory +pids"));
    TRY(const fs::path folder, add(parent, name));
    const auto no_swap = limits.memory_bytes ? std::optional<std::uint64_t>(0) : std::nullopt;
    if (has_file(folder / "cgroup.kill")) {
        kill_file_ = folder / "cgroup.kill";
        abilities_.kill = true;
    }
    if (has_file(folder / "memory.max")) {
        memory_events_ = folder / "memory.events";
        abilities_.memory = true;
        TRY_STATUS(set_limit(folder / "memory.max", limits.memory_bytes));
        TRY_STATUS(set_limit_if_there(folder / "memory.swap.max", no_swap));
        TRY_STATUS(write_text(folder / "memory.oom.group", "1"));
    }
    if (has_file(folder / "pids.max")) {
        process_events_ = folder / "pids.events";
        abilities_.processes = true;
        TRY_STATUS(set_limit(folder / "pids.max", limits.processes));
    }
    return {};
}

Status JobCgroup::add_memory(
    const fs::path& parent, const std::string& name, const CgroupLimits& limits
) {
    TRY(const fs::path folder, add(parent, name));
    abilities_.memory = true;
    memory_events_ = folder / "memory.oom_control";
    TRY_STATUS(set_limit(folder / "memory.limit_in_bytes", limits.memory_bytes));
    TRY_STATUS(set_limit_if_there(folder / "memory.memsw.limit_in_bytes", limits.memory_bytes));
    return {};
}

Status JobCgroup::add_processes(
    const fs::path& parent, const std::string& name, const CgroupLimits& limits
) {
    TRY(const fs::path folder, add(parent, name));
    process_events_ = folder / "pids.events";
    abilities_.processes = true;
    return set_limit(folder / "pids.max", limits.processes);
}

Result<JobCgroup> JobCgroup::create(
    const CgroupFolders& folders, const std::string& name, const CgroupLimits& limits
) {
    JobCgroup group;
    std::string versions;
    if (folders.unified) {
        TRY_STATUS(group.add_unified(*folders.unified, name, limits));
        versions = "version 2";
    }
    const auto memory = folders.legacy.find("memory");
    if (!group.abilities_.memory && memory != folders.legacy.end()) {
        TRY_STATUS(group.add_memory(memory->second, name, limits));
    }
    const auto pids = folders.legacy.find("pids");
    const bool together = memory != folders.legacy.end() && pids != folders.legacy.end() &&
                          memory->second == pids->second;
    if (!group.abilities_.processes && pids != folders.legacy.end() && !together) {
        TRY_STATUS(group.add_processes(pids->second, name, limits));
    }
    if (group.folders_.size() > (folders.unified ? 1U : 0U)) {
        versions = versions.empty() ? "version 1" : "both versions";
    }
    group.abilities_.detail = versions.empty() ? "none is mounted" : versions;
    return group;
}

JobCgroup::~JobCgroup() {
    for (const fs::path& folder : folders_) {
        remove_group(folder);
    }
}

PreExecStep JobCgroup::join_step() const {
    return {.name = "join its control groups", .run = join_groups, .context = &members_->procs};
}

bool JobCgroup::kill() const {
    return !kill_file_.empty() && write_text(kill_file_, "1").has_value();
}

std::uint64_t JobCgroup::memory_kills() const {
    return memory_events_.empty() ? 0 : read_count(memory_events_, "oom_kill");
}

std::uint64_t JobCgroup::refused_processes() const {
    return process_events_.empty() ? 0 : read_count(process_events_, "max");
}

void remove_stale_cgroups(const CgroupFolders& folders) {
    std::vector<fs::path> parents;
    if (folders.unified) {
        parents.push_back(*folders.unified);
    }
    for (const auto& [controller, folder] : folders.legacy) {
        parents.push_back(folder);
    }
    for (const fs::path& parent : parents) {
        std::error_code error;
        for (auto entry = fs::directory_iterator(parent, error);
             !error && entry != fs::directory_iterator();
             entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            if (!name.starts_with(kNamePrefix)) {
                continue;
            }
            const auto owner =
                static_cast<pid_t>(to_number(std::string_view(name).substr(kNamePrefix.size())));
            if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) {
                rmdir(entry->path().c_str());  // refuses while it has members
            }
        }
    }
}

std::string cgroup_name(std::uint64_t number) {
    return fmt::format("{}{}-{}", kNamePrefix, getpid(), number);
}

CgroupAbilities probe_cgroups(const CgroupFolders& folders) {
    constexpr CgroupLimits kSome{.memory_bytes = 1 << 30, .processes = 1000};
    constexpr std::uint64_t kTries = 100;  // others may be probing too
    for (std::uint64_t i = 0; i < kTries; ++i) {
        const auto group = JobCgroup::create(folders, cgroup_name(i) + "-probe", kSome);
        if (group) {
            return group->abilities();
        }
        if (group.error().code != ErrorCode::kConflict) {
            return {
                .memory = false,
                .processes = false,
                .kill = false,
                .detail = group.error().message,
            };
        }
    }
    return {.memory = false, .processes = false, .kill = false, .detail = "every name is taken"};
}

}  // namespace nexa::sandbox
