// SPDX-License-Identifier: Apache-2.0
#include "core/child_process.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <semaphore>
#include <system_error>
#include <thread>

#include "core/child_launch_internal.h"
#include "core/child_spec_internal.h"
#include "core/os_error.h"
#include "core/process_table.h"

namespace nexa {

namespace {

namespace fs = std::filesystem;
using internal::GuardMessage;
using internal::LaunchFailure;
using internal::LaunchPlan;
using internal::LaunchStep;
using internal::LimitRow;
using std::chrono::steady_clock;

constexpr int kKillRoundsMax = 10'000;  // of a millisecond each

/// Keeps a thread alive as long as the child: the kernel's "parent" whose death kills the child is
/// the thread that forked, and the caller's may be a pool thread about to end.
class Keeper {
public:
    Keeper() = default;
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    ~Keeper() {
        if (thread_.joinable()) {
            leave_.release();
            thread_.join();
        }
    }

    /// Runs `work` on the kept thread and returns when it is done.
    template <class Work>
    Status run(Work work) {
        try {
            thread_ = std::thread([this, &work] {
                sigset_t all;
                sigfillset(&all);
                pthread_sigmask(SIG_SETMASK, &all, nullptr);
                work();
                done_.release();
                leave_.acquire();
            });
        } catch (const std::system_error& error) {
            return Error::resource_exhausted("cannot start a thread: {}", error.what());
        }
        done_.acquire();
        return {};
    }

private:
    std::binary_semaphore done_{0};
    std::binary_semaphore leave_{0};
    std::thread thread_;
};

std::vector<char*> c_strings(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (std::string& text : strings) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

Error to_error(const LaunchFailure& failure, const ChildSpec& spec) {
    const std::string& name = spec.argv[0];
    const auto says = [&](std::string_view what) {
        return os_error(failure.error_number, fmt::format("start '{}': {}", name, what));
    };
    switch (failure.step) {
        case LaunchStep::kFork:
            return says("fork");
        case LaunchStep::kSession:
            return says("make its session");
        case LaunchStep::kWorkingDirectory:
            return says(fmt::format("enter '{}'", spec.working_directory.string()));
        case LaunchStep::kPreExec:
            return says(spec.before_exec[static_cast<std::size_t>(failure.detail)].name);
        case LaunchStep::kDescriptors:
            return says(fmt::format("place descriptor {}", failure.detail));
        case LaunchStep::kLimits:
            return says(fmt::format("set resource limit {}", failure.detail));
        case LaunchStep::kPrivileges:
            return says("give up new privileges");
        case LaunchStep::kExec:
            break;
    }
    Error error = os_error(failure.error_number, fmt::format("start '{}'", name));
    if (failure.error_number == ENOENT) {
        return std::move(error).hint("check the path, and the interpreter if it is a script");
    }
    return error;
}

/// Forks with all signals blocked, so that no handler of ours runs in the child.
pid_t fork_quietly(LaunchPlan& plan, pid_t self) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0) {
        if (plan.guard_channel >= 0) {
            internal::guard_program(plan);
        }
        internal::become_program(plan, self);
    }
    const int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = failed;
    return pid;
}

template <class Message>
bool read_message(int fd, Message& message) {
    ssize_t size = 0;
    do {
        size = read(fd, &message, sizeof message);
    } while (size < 0 && errno == EINTR);
    return size == static_cast<ssize_t>(sizeof message);
}

ExitStatus status_of_wait(int status) {
    if (WIFSIGNALED(status)) {
        return {.exit_code = std::nullopt, .signal = WTERMSIG(status)};
    }
    return {.exit_code = WEXITSTATUS(status), .signal = std::nullopt};
}

void pause_a_millisecond() {
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&pause, nullptr);
}

}  // namespace

std::string ExitStatus::to_string() const {
    if (signal) {
        const char* name = sigabbrev_np(*signal);
        return name == nullptr ? fmt::format("signal {}", *signal) : fmt::format("SIG{}", name);
    }
    return fmt::format("exit code {}", exit_code.value_or(-1));
}

/// The direct child is the program, or the guard if there is one. It is not collected before the
/// end, so its number, which names group and session too, stays its own.
struct ChildProcess::State {
    std::string name;
    pid_t program = -1;
    pid_t direct_child = -1;
    UniqueFd direct_child_fd;  ///< a pidfd
    UniqueFd guard_channel;
    UniqueFd standard_input;
    UniqueFd standard_output;
    UniqueFd standard_error;
    std::optional<ExitStatus> status;
    std::optional<ChildUsage> usage;  ///< set once all is collected
    Keeper keeper;

    bool guarded() const { return program != direct_child; }
    int exit_fd() const { return guarded() ? guard_channel.get() : direct_child_fd.get(); }

    Status fork_and_exec(LaunchPlan& plan, Pipe error_pipe, const ChildSpec& spec);
    bool has_ended() const;
    Result<ExitStatus> read_status();
    Status kill_leftovers() const;
    Status wait_for_guard() const;
    void collect();
};

Status ChildProcess::State::fork_and_exec(
    LaunchPlan& plan, Pipe error_pipe, const ChildSpec& spec
) {
    plan.error_pipe = error_pipe.write_end.get();
    const pid_t self = getpid();
    int failed = 0;
    const auto do_fork = [&] {
        direct_child = fork_quietly(plan, self);
        failed = errno;
    };
    if (plan.guard_channel >= 0) {
        do_fork();  // the guard watches its channel, so no thread needs to stay
    } else {
        TRY_STATUS(keeper.run(do_fork));
    }
    if (direct_child < 0) {
        return os_error(failed, fmt::format("start '{}': fork", name));
    }
    error_pipe.write_end.reset();
    program = direct_child;
    direct_child_fd.reset(static_cast<int>(syscall(SYS_pidfd_open, direct_child, 0)));
    const int no_pidfd = direct_child_fd ? 0 : errno;

    LaunchFailure failure{};
    if (read_message(error_pipe.read_end.get(), failure)) {
        return to_error(failure, spec);
    }
    if (no_pidfd != 0) {
        return os_error(no_pidfd, fmt::format("watch '{}': open a pidfd", name));
    }
    return {};
}

Result<ChildProcess> ChildProcess::start(const ChildSpec& spec) {
    TRY_STATUS(internal::check_spec(spec));
    TRY(const std::string program, internal::find_program(spec));
    TRY(const UniqueFd working_directory, internal::open_working_directory(spec));
    TRY(internal::Streams streams, internal::prepare_streams(spec));
    TRY(Pipe error_pipe, make_pipe());
    std::vector<std::string> arguments = spec.argv;
    std::vector<std::string> variables;
    variables.reserve(spec.environment.size());
    for (const auto& [name, value] : spec.environment) {
        variables.push_back(fmt::format("{}={}", name, value));
    }
    const std::vector<char*> argv = c_strings(arguments);
    const std::vector<char*> environment = c_strings(variables);
    const std::vector<LimitRow> limits = internal::limit_rows(spec.limits);

    ChildProcess child(std::make_unique<State>());
    State& state = *child.state_;
    state.name = spec.argv[0];
    UniqueFd guards_end;
    if (spec.containment == Containment::kGuarded) {
        std::array<int, 2> ends{};
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            return os_error(errno, "make a socket pair");
        }
        state.guard_channel.reset(ends[0]);
        guards_end.reset(ends[1]);
    }
    LaunchPlan plan{
        .program = program.c_str(),
        .argv = argv.data(),
        .environment = environment.data(),
        .working_directory = working_directory.get(),
        .error_pipe = -1,
        .guard_channel = guards_end.get(),
        .moves = streams.moves,
        .limits = limits,
        .before_exec = spec.before_exec,
        .no_new_privileges = spec.no_new_privileges,
    };
    TRY_STATUS(state.fork_and_exec(plan, std::move(error_pipe), spec));
    guards_end.reset();
    if (state.guard_channel) {
        GuardMessage started{};
        if (!read_message(state.guard_channel.get(), started)) {
            return Error::internal("the guard of '{}' ended before its program", state.name);
        }
        state.program = started.value;
    }
    state.standard_input = std::move(streams.prepared[0].ours);
    state.standard_output = std::move(streams.prepared[1].ours);
    state.standard_error = std::move(streams.prepared[2].ours);
    return child;
}

ChildProcess::ChildProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
    if (this != &other) {
        end_tree();
        state_ = std::move(other.state_);
    }
    return *this;
}

ChildProcess::~ChildProcess() {
    end_tree();
}

pid_t ChildProcess::pid() const {
    return state_->program;
}

pid_t ChildProcess::tree_root() const {
    return state_->direct_child;
}

int ChildProcess::exit_fd() const {
    return state_->exit_fd();
}

UniqueFd ChildProcess::take_stdin() {
    return std::move(state_->standard_input);
}

UniqueFd ChildProcess::take_stdout() {
    return std::move(state_->standard_output);
}

UniqueFd ChildProcess::take_stderr() {
    return std::move(state_->standard_error);
}

Result<ExitStatus> ChildProcess::State::read_status() {
    if (guarded()) {
        GuardMessage message{};
        if (!read_message(guard_channel.get(), message)) {
            return Error::internal(
                "the guard of '{}' (process {}) was killed, and the exit status is lost",
                name,
                program
            );
        }
        const ExitStatus ended = status_of_wait(message.value);
        status = ended;
        return ended;
    }
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(direct_child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0) {
        return Error::internal("the exit status of '{}' (process {}) is lost", name, program);
    }
    ExitStatus ended;
    (info.si_code == CLD_EXITED ? ended.exit_code : ended.signal) = info.si_status;
    status = ended;
    return ended;
}

Result<ExitStatus> ChildProcess::wait(steady_clock::time_point deadline) {
    if (const auto known = state_->status) {
        return *known;
    }
    if (state_->usage) {
        return Error::internal("the exit status of '{}' is lost", state_->name);
    }
    TRY(const bool ended, wait_readable(exit_fd(), deadline));
    if (!ended) {
        return Error::deadline_exceeded(
            "'{}' (process {}) has not ended", state_->name, state_->program
        );
    }
    return state_->read_status();
}

bool ChildProcess::State::has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(direct_child), &info, WEXITED | WNOHANG | WNOWAIT) !=
               0 ||
           info.si_pid != 0;
}

/// SIGKILL to the group, then to whoever else is in the session, until a look finds nobody alive.
Status ChildProcess::State::kill_leftovers() const {
    for (int round = 0; round < kKillRoundsMax; ++round) {
        bool someone = false;
        if (!guarded()) {
            // Not collected yet, so the number still names this group and no other.
            kill(-program, SIGKILL);
            someone = !has_ended();
        }
        TRY(const auto table, read_process_table());
        for (const ProcessEntry& entry : table) {
            if (entry.session == program && !entry.dead) {
                someone = true;
                signal_process(entry, SIGKILL);
            }
        }
        if (!someone) {
            return {};
        }
        pause_a_millisecond();
    }
    return Error::unavailable("process group {} of '{}' does not end", program, name);
}

Status ChildProcess::State::wait_for_guard() const {
    for (int round = 0; round < kKillRoundsMax; ++round) {
        if (has_ended()) {
            return {};
        }
        pause_a_millisecond();
    }
    return Error::unavailable("processes below {} of '{}' do not end", direct_child, name);
}

Status ChildProcess::kill_tree(int signal) {
    State& state = *state_;
    if (state.usage) {
        return {};
    }
    if (signal == SIGKILL) {
        if (!state.guarded()) {
            return state.kill_leftovers();
        }
        shutdown(state.guard_channel.get(), SHUT_WR);
        TRY_STATUS(state.wait_for_guard());
        siginfo_t info{};
        waitid(P_PID, static_cast<id_t>(state.direct_child), &info, WEXITED | WNOHANG | WNOWAIT);
        // Someone killed the guard itself: the program died with it, its session may not have.
        return info.si_code == CLD_EXITED ? Status() : state.kill_leftovers();
    }
    TRY(const auto tree, read_process_tree(state.direct_child));
    for (const ProcessEntry& entry : tree) {
        const bool is_guard = state.guarded() && entry.pid == state.direct_child;
        if (!is_guard && !entry.dead) {
            signal_process(entry, signal);
        }
    }
    if (!state.guarded()) {
        // Those whose parent is gone are no longer below it, but still in its group.
        TRY(const auto table, read_process_table());
        for (const ProcessEntry& entry : table) {
            const bool is_orphan = entry.session == state.program && entry.parent == 1;
            if (is_orphan && !entry.dead) {
                signal_process(entry, signal);
            }
        }
    }
    return {};
}

Result<ExitStatus> ChildProcess::terminate(std::chrono::milliseconds grace) {
    TRY_STATUS(kill_tree(SIGTERM));
    TRY(const bool ended, wait_readable(exit_fd(), grace));
    if (!ended) {
        TRY_STATUS(kill_tree(SIGKILL));
    }
    return wait(steady_clock::time_point());
}

void ChildProcess::State::collect() {
    // The status outlives the process: whoever asks later still gets it.
    if (!status && (guarded() || has_ended())) {
        const auto ended = wait_readable(exit_fd(), steady_clock::time_point());
        if (ended && *ended) {
            static_cast<void>(read_status());
        }
    }
    int wait_status = 0;
    rusage used{};
    ChildUsage total;
    if (wait4(direct_child, &wait_status, WNOHANG, &used) == direct_child) {
        const auto time = [](const timeval& value) {
            return std::chrono::seconds(value.tv_sec) + std::chrono::microseconds(value.tv_usec);
        };
        total.cpu = time(used.ru_utime) + time(used.ru_stime);
        total.resident_bytes_max = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    }
    usage = total;
}

ChildUsage ChildProcess::end_tree() {
    if (state_ == nullptr || state_->direct_child < 0) {
        return {};
    }
    if (!state_->usage) {
        static_cast<void>(kill_tree(SIGKILL));
        state_->collect();
    }
    return state_->usage.value_or(ChildUsage());
}

}  // namespace nexa
