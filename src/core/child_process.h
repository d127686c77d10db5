// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/file.h"
#include "core/result.h"

namespace nexa {

/// Where one of a child's standard streams leads.
struct StdioNull {};
struct StdioInherit {};  ///< ours
struct StdioPipe {};     ///< to us: take_stdin() and so on
struct StdioFile {       ///< read as stdin, else created (0600), emptied unless `append`
    std::filesystem::path path;
    bool append = false;
};
struct StdioFd {  ///< a descriptor of ours, which stays open here
    int fd = -1;
};
using Stdio = std::variant<StdioNull, StdioInherit, StdioPipe, StdioFile, StdioFd>;

/// A descriptor of ours that the child finds at number `as` (3 or more).
struct PassedFd {
    int fd = -1;
    int as = -1;
};

/// Kernel limits per process; what is unset is inherited. A lower limit of ours stays in force.
struct ResourceLimits {
    std::optional<std::uint64_t> address_space_bytes = {};
    std::optional<std::uint64_t> cpu_seconds = {
    };  ///< SIGXCPU at the limit, SIGKILL two seconds later
    std::optional<std::uint64_t> file_bytes = {};  ///< per file; SIGXFSZ beyond
    std::optional<std::uint64_t> open_files = {};
    bool core_dumps = false;
};

/// Runs in the child before exec: returns 0, or an errno that makes start() fail. The child is a
/// fork of a program with threads: system calls only, no allocation, no lock.
struct PreExecStep {
    const char* name;  ///< as in "cannot start 'x': <name>: no such file"
    int (*run)(const void* context) noexcept;
    const void* context;  ///< must live until start() returns
};

enum class Containment : std::uint8_t {
    /// Own session and process group. A descendant that starts a session of its own escapes
    /// kill_tree(), as a daemon does.
    kSession,
    /// A guard, a small process between us and the child, adopts every orphan below it, so
    /// kill_tree() takes daemons too, and so does our own death. It is a fork of ours and shares
    /// our memory copy-on-write as long as it lives.
    kGuarded,
};

struct ChildSpec {
    /// The program and its arguments. A name without '/' is looked up in PATH of `environment`
    /// (/usr/local/bin:/usr/bin:/bin without one); a relative one counts from
    /// `working_directory`.
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;  ///< all of it: nothing is inherited
    std::filesystem::path working_directory;         ///< ours if empty
    Stdio standard_input = StdioNull{};
    Stdio standard_output = StdioNull{};
    Stdio standard_error = StdioNull{};
    std::vector<PassedFd> passed_fds;  ///< all others are closed
    ResourceLimits limits;
    std::vector<PreExecStep> before_exec;
    bool no_new_privileges = false;  ///< setuid programs run without their bit
    Containment containment = Containment::kSession;
};

/// How a process ended: one of the two is set.
struct ExitStatus {
    std::optional<int> exit_code;
    std::optional<int> signal;

    bool success() const { return exit_code == 0; }
    std::string to_string() const;  ///< "exit code 3", "SIGKILL"
    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// What a tree of processes has used.
struct ChildUsage {
    std::chrono::microseconds cpu{};
    std::uint64_t resident_bytes_max = 0;  ///< of the largest single process
};

/// A program started without a shell. It dies with us (our process, not the thread that started
/// it), and with this object.
///
/// start() may be called from any number of threads; one object is used by one thread at a time.
/// Deadlines are on the system's monotonic clock, that of SystemClock::steady_now().
class ChildProcess {
public:
    /// Blocks until the program runs. Errors: kNotFound (program, folder or file),
    /// kPermissionDenied (not executable), kInvalidArgument (not a program, NUL byte in an
    /// argument, bad descriptor), kResourceExhausted (processes, descriptors); never an exit code
    /// 127.
    static Result<ChildProcess> start(const ChildSpec& spec);

    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) noexcept;
    ~ChildProcess();  ///< as end_tree()

    pid_t pid() const;
    /// Who holds the tree together: the guard, or the child itself. For read_process_tree().
    pid_t tree_root() const;
    /// Readable once the child has ended: for poll loops. Stays ours.
    int exit_fd() const;

    /// Our ends of StdioPipe, once each; empty for the other kinds.
    UniqueFd take_stdin();
    UniqueFd take_stdout();
    UniqueFd take_stderr();

    /// Blocks until the child has ended; its descendants may go on. May be called again.
    /// Errors: kDeadlineExceeded; kInternal if the guard was killed and the status with it.
    Result<ExitStatus> wait(std::chrono::steady_clock::time_point deadline);

    /// Sends `signal` to the child and its descendants. With SIGKILL it blocks until they are
    /// gone, ten seconds at most. Errors: kUnavailable (some would not die).
    Status kill_tree(int signal);

    /// SIGTERM to the tree, SIGKILL if the child has not ended after `grace`. Blocks.
    Result<ExitStatus> terminate(std::chrono::milliseconds grace);

    /// Kills what is left of the tree, collects it and says what it used. Blocks as
    /// kill_tree(SIGKILL). wait() still answers afterwards.
    ChildUsage end_tree();

private:
    struct State;
    explicit ChildProcess(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct CaptureOptions {
    std::map<std::string, std::string> environment;
    std::filesystem::path working_directory;
    std::string input;                         ///< the child's stdin
    std::uint64_t output_bytes_max = 1 << 20;  ///< of each stream; the rest is read and dropped
    std::chrono::milliseconds timeout = std::chrono::seconds(30);
    ResourceLimits limits;
};

struct Captured {
    ExitStatus status;
    std::string output;
    std::string error_output;
    bool truncated = false;  ///< a stream was longer than output_bytes_max
};

/// Runs a program to its end and returns what it wrote. Blocks up to `timeout`; then the program
/// and its session are killed. A descendant that keeps the streams open does not prolong the wait.
/// Errors: those of ChildProcess::start; kDeadlineExceeded. An exit code other than 0 is none.
Result<Captured> run_and_capture(
    const std::vector<std::string>& argv, const CaptureOptions& options = {}
);

}  // namespace nexa
