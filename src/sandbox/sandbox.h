// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/child_process.h"
#include "core/result.h"

namespace nexa::sandbox {

/// How strongly a job is enclosed.
enum class Kind : std::uint8_t {
    kProcess,     ///< limits only: for jobs that are trusted
    kBubblewrap,  ///< namespaces, system call filter, no network
    kOci,         ///< a container
};
std::string_view to_string(Kind kind);
std::optional<Kind> kind_from(std::string_view name);

/// What a job may use; unset is unlimited. All but open_files count for its whole tree.
struct Limits {
    std::optional<std::uint64_t> memory_bytes = {};  ///< pages shared by its processes count once
    std::optional<std::chrono::milliseconds> wall_time = {};
    std::optional<std::chrono::milliseconds> cpu_time = {};
    std::optional<std::uint64_t> disk_bytes = {};  ///< in the work folder, deleted open files too
    std::optional<std::uint64_t> processes = {};   ///< each thread counts as one
    std::optional<std::uint64_t> open_files = {};  ///< per process
};

/// A file or folder that the job finds at inputs/NAME in its work folder and must not change.
struct Input {
    std::filesystem::path source;
    std::string name;
};

struct SandboxJob {
    std::vector<std::string> argv;  ///< as in ChildSpec
    std::map<std::string, std::string> environment;
    std::filesystem::path work_folder;  ///< exists; the job's current folder
    std::vector<Input> inputs;
    Limits limits;
    Stdio standard_input = StdioNull{};  ///< no pipes: make one and pass its end as StdioFd
    Stdio standard_output = StdioNull{};
    Stdio standard_error = StdioNull{};
    std::vector<PassedFd> passed_fds;
};

/// Why a job is over.
enum class Ending : std::uint8_t {
    kExited,     ///< by itself: see status
    kSignaled,   ///< by a signal that no limit explains
    kMemory,     ///< over Limits::memory_bytes
    kTime,       ///< over Limits::wall_time
    kCpuTime,    ///< over Limits::cpu_time
    kDisk,       ///< over Limits::disk_bytes
    kProcesses,  ///< over Limits::processes
    kKilled,     ///< by RunningJob::kill
    kLost,       ///< its guard was killed, so nobody knows
};
std::string_view to_string(Ending ending);

struct Usage {
    std::chrono::microseconds cpu{};
    std::uint64_t memory_bytes_max = 0;  ///< largest seen, whole tree
    std::uint64_t disk_bytes_max = 0;    ///< largest seen; 0 without Limits::disk_bytes
    std::uint64_t processes_max = 0;
};

struct Outcome {
    Ending ending = Ending::kLost;
    std::optional<ExitStatus> status;  ///< of the program itself, where known
    std::string explanation;           ///< one sentence for the job's error message
    Usage usage;

    bool success() const { return ending == Ending::kExited && status && status->success(); }
};

/// A job in progress. Thread-safe. Destruction kills it and blocks until it is gone.
class RunningJob {
public:
    virtual ~RunningJob() = default;
    RunningJob() = default;
    RunningJob(const RunningJob&) = delete;
    RunningJob& operator=(const RunningJob&) = delete;

    /// Blocks until the job is over and nothing of it runs, at most until `deadline` (as
    /// ChildProcess::wait). May be called again. Errors: kDeadlineExceeded.
    virtual Result<Outcome> wait(std::chrono::steady_clock::time_point deadline) = 0;
    /// Asks for the end of the job; does not block. No effect once it is over.
    virtual void kill() = 0;
    /// Sends SIGTERM to its processes, so that it can end by itself; does not block. Once.
    virtual void terminate() = 0;
    /// What it has used so far, as of the last look.
    virtual Usage usage() const = 0;
    /// Readable once wait() would answer: for poll loops. Stays ours.
    virtual int done_fd() const = 0;
    virtual pid_t pid() const = 0;
};

/// One property of a kind on this machine.
struct Feature {
    std::string name;
    bool available = false;
    std::string detail;
};

/// What a kind can do on this machine, and why it cannot be used if so.
struct Probe {
    Kind kind = Kind::kProcess;
    bool available = false;
    std::string reason;  ///< why not; empty if available
    std::vector<Feature> features;
};

/// Starts jobs in one kind of enclosure. Thread-safe.
class Sandbox {
public:
    virtual ~Sandbox() = default;
    Sandbox() = default;
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    virtual Kind kind() const = 0;
    /// Tries what it needs. Blocks shortly.
    virtual Probe probe() const = 0;
    /// Blocks until the program runs. Errors: those of ChildProcess::start; kInvalidArgument (bad
    /// input name, pipe), kConflict (an input's place is taken), kUnavailable (an enclosure that
    /// the probe promised could not be made).
    virtual Result<std::unique_ptr<RunningJob>> start(const SandboxJob& job) = 0;
};

struct SandboxOptions {
    std::chrono::milliseconds poll_interval{100};  ///< between two looks at a job
    int looks_per_disk_walk = 5;                   ///< walking the folder costs more
    bool use_control_groups = true;                ///< where we may write them
};

/// Errors: kUnavailable with the reason if this machine or build does not have `kind`. There is
/// no falling back to another kind.
Result<std::unique_ptr<Sandbox>> make_sandbox(Kind kind, const SandboxOptions& options = {});

/// What `kind` could do here, also if make_sandbox would refuse it.
Probe probe_sandbox(Kind kind, const SandboxOptions& options = {});

}  // namespace nexa::sandbox
