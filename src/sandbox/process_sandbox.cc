// SPDX-License-Identifier: Apache-2.0
#include "sandbox/process_sandbox_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/os_error.h"
#include "core/process_table.h"

namespace nexa::sandbox {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInputsFolder = "inputs";
constexpr std::size_t kInputNameBytesMax = 255;
constexpr std::uint64_t kCgroupNameTries = 1000;
/// One block: a file that reaches its own limit is then also over the folder's, which is how the
/// last look tells why the job stopped.
constexpr std::uint64_t kFileLimitSlack = 4096;

std::uint64_t whole_seconds(std::chrono::milliseconds time) {
    return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

/// When memory runs out on the whole machine, a job goes before whoever runs it.
int offer_to_oom_killer(const void* /*context*/) noexcept {
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        static_cast<void>(!write(fd, "500", 3));
        close(fd);
    }
    return 0;  // a preference, not a promise
}

Status place_input(const fs::path& folder, const Input& input) {
    const std::string& name = input.name;
    if (name.empty() || name.size() > kInputNameBytesMax || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        return Error::invalid_argument("'{}' cannot name an input: one path segment only", name);
    }
    std::error_code error;
    const fs::path source = fs::canonical(input.source, error);
    if (error) {
        return os_error(
            error.value(), fmt::format("find input '{}' at '{}'", name, input.source.string())
        );
    }
    const fs::path place = folder / name;
    if (symlink(source.c_str(), place.c_str()) == 0) {
        return {};
    }
    const int failed = errno;
    if (failed == EEXIST && fs::read_symlink(place, error) == source && !error) {
        return {};  // an earlier attempt of the same job
    }
    return os_error(failed, fmt::format("place input '{}' in '{}'", name, folder.string()));
}

Status place_inputs(const SandboxJob& job) {
    if (job.inputs.empty()) {
        return {};
    }
    const fs::path folder = job.work_folder / kInputsFolder;
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) {
        return os_error(error.value(), fmt::format("make folder '{}'", folder.string()));
    }
    for (const Input& input : job.inputs) {
        TRY_STATUS(place_input(folder, input));
    }
    return {};
}

Status check_job(const SandboxJob& job) {
    if (job.work_folder.empty()) {
        return Error::invalid_argument("a job needs a work folder").at("work_folder");
    }
    for (const Stdio* stdio : {&job.standard_input, &job.standard_output, &job.standard_error}) {
        if (std::holds_alternative<StdioPipe>(*stdio)) {
            return Error::invalid_argument("a job's streams cannot be pipes")
                .hint("make a pipe and pass its end as a descriptor");
        }
    }
    return {};
}

ChildSpec to_child_spec(const SandboxJob& job) {
    ChildSpec spec;
    spec.argv = job.argv;
    spec.environment = job.environment;
    spec.working_directory = job.work_folder;
    spec.standard_input = job.standard_input;
    spec.standard_output = job.standard_output;
    spec.standard_error = job.standard_error;
    spec.passed_fds = job.passed_fds;
    spec.limits.open_files = job.limits.open_files;
    if (job.limits.cpu_time) {
        spec.limits.cpu_seconds = std::max<std::uint64_t>(1, whole_seconds(*job.limits.cpu_time));
    }
    if (job.limits.disk_bytes) {
        spec.limits.file_bytes = *job.limits.disk_bytes + kFileLimitSlack;
    }
    // Not address_space_bytes: frameworks reserve far more than they use.
    spec.before_exec = {{"offer itself to the OOM killer", offer_to_oom_killer, nullptr}};
    spec.no_new_privileges = true;
    spec.containment = Containment::kGuarded;
    return spec;
}

class ProcessSandbox final : public Sandbox {
public:
    explicit ProcessSandbox(const SandboxOptions& options) : options_(options) {
        if (options.use_control_groups) {
            folders_ = find_own_cgroup_folders();
            remove_stale_cgroups(folders_);
            abilities_ = probe_cgroups(folders_);
        } else {
            abilities_.detail = "switched off";
        }
    }

    Kind kind() const override { return Kind::kProcess; }
    Probe probe() const override;
    Result<std::unique_ptr<RunningJob>> start(const SandboxJob& job) override;

private:
    Result<JobCgroup> make_group(const Limits& limits);

    SandboxOptions options_;
    CgroupFolders folders_;
    CgroupAbilities abilities_;
    std::atomic<std::uint64_t> next_group_ = 0;
};

Probe ProcessSandbox::probe() const {
    Probe probe{.kind = Kind::kProcess, .available = true, .reason = {}, .features = {}};
    const auto table = read_process_table();
    if (!table) {
        probe.available = false;
        probe.reason = table.error().message;
    }
    const std::string groups = fmt::format("control groups: {}", abilities_.detail);
    const std::string looks =
        fmt::format("looked at every {} ms ({})", options_.poll_interval.count(), groups);
    const std::string trusted = "this kind is for trusted jobs";
    probe.features = {
        {"kill_tree", true, abilities_.kill ? "guard and " + groups : "guard"},
        {"memory_limit", true, abilities_.memory ? groups : looks},
        {"process_limit", true, abilities_.processes ? groups : looks},
        {"time_limit", true, "timer"},
        {"disk_limit", true, "file size limit, and a walk through the work folder"},
        {"read_only_inputs", false, trusted},
        {"no_network", false, trusted},
        {"private_files", false, trusted},
    };
    return probe;
}

Result<JobCgroup> ProcessSandbox::make_group(const Limits& limits) {
    const CgroupLimits wanted{.memory_bytes = limits.memory_bytes, .processes = limits.processes};
    for (std::uint64_t i = 0; i < kCgroupNameTries; ++i) {
        // Another sandbox of this process counts from zero too.
        auto group = JobCgroup::create(folders_, cgroup_name(next_group_++), wanted);
        if (group || group.error().code != ErrorCode::kConflict) {
            return group;
        }
    }
    return Error::unavailable("every name for a control group is taken");
}

Result<std::unique_ptr<RunningJob>> ProcessSandbox::start(const SandboxJob& job) {
    TRY_STATUS(check_job(job));
    TRY_STATUS(place_inputs(job));
    ChildSpec spec = to_child_spec(job);
    std::optional<JobCgroup> group;
    if (abilities_.memory || abilities_.processes || abilities_.kill) {
        auto made = make_group(job.limits);
        if (!made) {
            // The probe promised it: going on without would be weaker than agreed.
            return Error::unavailable("cannot enclose the job: {}", made.error().message);
        }
        spec.before_exec.push_back(made->join_step());
        group.emplace(std::move(*made));
    }
    TRY(ChildProcess child, ChildProcess::start(spec));
    return watch_process_job({
        .group = std::move(group),
        .child = std::move(child),
        .work_folder = job.work_folder,
        .limits = job.limits,
        .options = options_,
    });
}

}  // namespace

std::unique_ptr<Sandbox> make_process_sandbox(const SandboxOptions& options) {
    return std::make_unique<ProcessSandbox>(options);
}

}  // namespace nexa::sandbox
