// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include "core/mutex.h"
#include "core/os_error.h"
#include "core/process_table.h"
#include "sandbox/process_sandbox_internal.h"

namespace nexa::sandbox {

namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t kProcFileBytesMax = std::uint64_t{64} * 1024;

std::string in_megabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string in_seconds(std::chrono::milliseconds time) {
    return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1e3);
}

/// The process's share of memory, in which a page of n users counts an n-th.
std::uint64_t proportional_bytes(const ProcessEntry& process) {
    const auto text =
        read_file(fmt::format("/proc/{}/smaps_rollup", process.pid), kProcFileBytesMax);
    const std::size_t at = text ? text->find("\nPss:") : std::string::npos;
    if (at == std::string::npos) {
        return process.resident_bytes;  // gone by now, or an old kernel
    }
    std::uint64_t kilobytes = 0;
    for (const char c : std::string_view(*text).substr(at + 5)) {
        if (c >= '0' && c <= '9') {
            kilobytes = kilobytes * 10 + static_cast<std::uint64_t>(c - '0');
        } else if (c != ' ' && c != '\t') {
            break;
        }
    }
    return kilobytes * 1024;
}

Result<UniqueFd> make_event() {
    UniqueFd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event) {
        return os_error(errno, "make an event descriptor");
    }
    return event;
}

void raise(const UniqueFd& event) {
    const std::uint64_t one = 1;
    static_cast<void>(!write(event.get(), &one, sizeof one));  // full is as good: it is readable
}

/// What runs of a job.
struct JobTree {
    std::vector<ProcessEntry> members;  ///< alive; without the guard, which is ours
    std::chrono::milliseconds cpu{};    ///< theirs and that of all who have ended
};

/// A limit that was passed, and the sentence for it.
struct Excess {
    Ending ending;
    std::string explanation;
};

/// What other threads tell the watcher, and it them.
struct JobEvents {
    UniqueFd kill;
    UniqueFd terminate;
    UniqueFd done;
};

class ProcessJob final : public RunningJob {
public:
    ProcessJob(ProcessJobParts parts, JobEvents events, UniqueFd timer)
        : parts_(std::move(parts)),
          pid_(parts_.child.pid()),
          kill_event_(std::move(events.kill)),
          terminate_event_(std::move(events.terminate)),
          done_event_(std::move(events.done)),
          timer_(std::move(timer)) {}

    ~ProcessJob() override {
        kill();
        if (watcher_.joinable()) {
            watcher_.join();
        }
    }

    Status start_watching() {
        try {
            watcher_ = std::thread([this] { watch(); });
        } catch (const std::system_error& error) {
            return Error::resource_exhausted("cannot start a thread: {}", error.what());
        }
        return {};
    }

    Result<Outcome> wait(steady_clock::time_point deadline) override {
        TRY(const bool done, wait_readable(done_event_.get(), deadline));
        if (!done) {
            return Error::deadline_exceeded("job process {} has not ended", pid_);
        }
        const Lock lock(mutex_);
        return outcome_;
    }

    void kill() override { raise(kill_event_); }
    void terminate() override { raise(terminate_event_); }

    Usage usage() const override {
        const Lock lock(mutex_);
        return usage_;
    }

    int done_fd() const override { return done_event_.get(); }
    pid_t pid() const override { return pid_; }

private:
    void watch();
    std::optional<Excess> watch_until_over();
    std::optional<Excess> look(bool at_disk);
    std::optional<Excess> look_at_processes(const JobTree& tree);
    std::optional<Excess> look_at_disk(const std::vector<ProcessEntry>& tree);
    std::optional<Excess> memory_kill() const;
    JobTree read_tree() const;
    Outcome finish(std::optional<Excess> excess);
    Excess explain(const std::optional<ExitStatus>& status, const Usage& usage) const;

    ProcessJobParts parts_;
    const pid_t pid_;
    const UniqueFd kill_event_;
    const UniqueFd terminate_event_;
    const UniqueFd done_event_;
    const UniqueFd timer_;
    mutable Mutex mutex_;
    Usage usage_ NEXA_GUARDED_BY(mutex_);
    Outcome outcome_ NEXA_GUARDED_BY(mutex_);
    std::thread watcher_;
};

void ProcessJob::watch() {
    Outcome outcome = finish(watch_until_over());
    {
        const Lock lock(mutex_);
        usage_ = outcome.usage;
        outcome_ = std::move(outcome);
    }
    raise(done_event_);
}

/// Nothing if the program has ended by itself.
std::optional<Excess> ProcessJob::watch_until_over() {
    const auto interval = static_cast<int>(parts_.options.poll_interval.count());
    bool was_asked_to_end = false;
    for (int looks = 0;; ++looks) {
        // A negative descriptor is passed over by poll(2).
        std::array<pollfd, 4> watched{{
            {.fd = parts_.child.exit_fd(), .events = POLLIN, .revents = 0},
            {.fd = kill_event_.get(), .events = POLLIN, .revents = 0},
            {.fd = timer_.get(), .events = POLLIN, .revents = 0},
            {.fd = was_asked_to_end ? -1 : terminate_event_.get(), .events = POLLIN, .revents = 0},
        }};
        static_cast<void>(poll(watched.data(), watched.size(), interval));
        if (watched[0].revents != 0) {
            return std::nullopt;
        }
        if (watched[1].revents != 0) {
            return Excess{Ending::kKilled, "the job was killed on request"};
        }
        if (watched[2].revents != 0) {
            return Excess{
                Ending::kTime,
                fmt::format(
                    "the job ran longer than {}",
                    in_seconds(parts_.limits.wall_time.value_or(std::chrono::milliseconds()))
                )
            };
        }
        if (watched[3].revents != 0) {
            was_asked_to_end = true;
            static_cast<void>(parts_.child.kill_tree(SIGTERM));  // whoever cannot hear is killed
        }
        if (auto excess = look(looks % parts_.options.looks_per_disk_walk == 0)) {
            return excess;
        }
    }
}

JobTree ProcessJob::read_tree() const {
    JobTree tree;
    const pid_t guard = parts_.child.tree_root();
    tree.members = read_process_tree(guard).value_or(std::vector<ProcessEntry>());
    // What has ended was collected by its parent, in the end by the guard: so its time counts too.
    for (const ProcessEntry& entry : tree.members) {
        tree.cpu += entry.cpu;
    }
    std::erase_if(tree.members, [guard](const ProcessEntry& entry) {
        return entry.dead || entry.pid == guard;
    });
    return tree;
}

std::optional<Excess> ProcessJob::look(bool at_disk) {
    const JobTree tree = read_tree();
    if (auto excess = memory_kill()) {
        return excess;
    }
    if (auto excess = look_at_processes(tree)) {
        return excess;
    }
    return at_disk ? look_at_disk(tree.members) : std::nullopt;
}

std::optional<Excess> ProcessJob::memory_kill() const {
    if (!parts_.group || parts_.group->memory_kills() == 0) {
        return std::nullopt;
    }
    return Excess{
        Ending::kMemory,
        parts_.limits.memory_bytes
            ? fmt::format(
                  "the job needed more than {} of memory", in_megabytes(*parts_.limits.memory_bytes)
              )
            : "the machine ran out of memory"
    };
}

std::optional<Excess> ProcessJob::look_at_processes(const JobTree& tree) {
    std::uint64_t bytes = 0;
    std::uint64_t tasks = 0;
    for (const ProcessEntry& process : tree.members) {
        bytes += process.resident_bytes;
        tasks += process.threads;
    }
    const Limits& limits = parts_.limits;
    if (limits.memory_bytes && bytes > *limits.memory_bytes) {
        bytes = 0;
        for (const ProcessEntry& process : tree.members) {
            bytes += proportional_bytes(process);
        }
    }
    {
        const Lock lock(mutex_);
        usage_.cpu = std::max<std::chrono::microseconds>(usage_.cpu, tree.cpu);
        usage_.memory_bytes_max = std::max(usage_.memory_bytes_max, bytes);
        usage_.processes_max = std::max(usage_.processes_max, tasks);
    }
    if (limits.memory_bytes && bytes > *limits.memory_bytes) {
        return Excess{
            Ending::kMemory,
            fmt::format(
                "the job used {} of {} of memory",
                in_megabytes(bytes),
                in_megabytes(*limits.memory_bytes)
            )
        };
    }
    if (limits.processes && tasks > *limits.processes) {
        return Excess{
            Ending::kProcesses,
            fmt::format("the job ran {} of {} processes and threads", tasks, *limits.processes)
        };
    }
    if (limits.cpu_time && tree.cpu > *limits.cpu_time) {
        return Excess{
            Ending::kCpuTime,
            fmt::format("the job used more than {} of CPU time", in_seconds(*limits.cpu_time))
        };
    }
    return std::nullopt;
}

std::optional<Excess> ProcessJob::look_at_disk(const std::vector<ProcessEntry>& tree) {
    if (!parts_.limits.disk_bytes) {
        return std::nullopt;
    }
    const std::uint64_t allowed = *parts_.limits.disk_bytes;
    const auto walked = measure_folder(parts_.work_folder, {});
    if (!walked) {
        return std::nullopt;  // the job has removed its own folder: then it uses none of it
    }
    const std::uint64_t bytes = walked->bytes + measure_deleted_files(parts_.work_folder, tree, {});
    {
        const Lock lock(mutex_);
        usage_.disk_bytes_max = std::max(usage_.disk_bytes_max, bytes);
    }
    if (!walked->exceeded.empty()) {
        return Excess{Ending::kDisk, fmt::format("the job's folder holds {}", walked->exceeded)};
    }
    if (bytes > allowed) {
        return Excess{
            Ending::kDisk,
            fmt::format("the job used {} of {} of disk", in_megabytes(bytes), in_megabytes(allowed))
        };
    }
    return std::nullopt;
}

/// Ends the tree, collects it, and says what it was.
Outcome ProcessJob::finish(std::optional<Excess> excess) {
    std::optional<ExitStatus> status;
    // First the way it ended by itself: afterwards nobody could tell it from our kill.
    if (const auto ended = parts_.child.wait({})) {
        status = *ended;
    }
    if (parts_.group) {
        parts_.group->kill();
    }
    const ChildUsage total = parts_.child.end_tree();
    if (!status) {
        if (const auto ended = parts_.child.wait({})) {
            status = *ended;
        }
    }
    if (!excess) {
        excess = memory_kill();
    }
    if (!excess) {
        excess = look_at_disk({});
    }
    Outcome outcome;
    outcome.usage = usage();
    outcome.usage.cpu = std::max(outcome.usage.cpu, total.cpu);
    outcome.usage.memory_bytes_max =
        std::max(outcome.usage.memory_bytes_max, total.resident_bytes_max);
    outcome.usage.processes_max = std::max<std::uint64_t>(outcome.usage.processes_max, 1);
    if (!excess) {
        excess = explain(status, outcome.usage);
    }
    outcome.ending = excess->ending;
    outcome.explanation = std::move(excess->explanation);
    outcome.status = status;
    parts_.group.reset();
    return outcome;
}

/// The ending of a job that nobody stopped.
Excess ProcessJob::explain(const std::optional<ExitStatus>& status, const Usage& usage) const {
    if (!status) {
        return {Ending::kLost, "the job's guard was killed, and its exit status with it"};
    }
    if (!status->signal) {
        std::string text = fmt::format("the job ended with {}", status->to_string());
        if (parts_.group && parts_.group->refused_processes() > 0) {
            text += fmt::format(
                " after it was refused more than {} processes and threads",
                parts_.limits.processes.value_or(0)
            );
        }
        return {Ending::kExited, std::move(text)};
    }
    const Limits& limits = parts_.limits;
    const bool is_kill = *status->signal == SIGKILL;
    if (limits.cpu_time &&
        (*status->signal == SIGXCPU || (is_kill && usage.cpu >= *limits.cpu_time))) {
        return {
            Ending::kCpuTime,
            fmt::format("the job used more than {} of CPU time", in_seconds(*limits.cpu_time))
        };
    }
    if (limits.disk_bytes && *status->signal == SIGXFSZ) {
        return {
            Ending::kDisk,
            fmt::format("the job wrote a file larger than {}", in_megabytes(*limits.disk_bytes))
        };
    }
    return {Ending::kSignaled, fmt::format("the job was ended by {}", status->to_string())};
}

}  // namespace

Result<std::unique_ptr<RunningJob>> watch_process_job(ProcessJobParts parts) {
    JobEvents events;
    TRY(events.kill, make_event());
    TRY(events.terminate, make_event());
    TRY(events.done, make_event());
    UniqueFd timer;
    if (parts.limits.wall_time) {
        TRY(timer, make_timer(*parts.limits.wall_time));
    }
    auto job = std::make_unique<ProcessJob>(std::move(parts), std::move(events), std::move(timer));
    TRY_STATUS(job->start_watching());
    return job;
}

}  // namespace nexa::sandbox
