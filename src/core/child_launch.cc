// SPDX-License-Identifier: Apache-2.0
#include "core/child_launch_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace nexa::internal {

namespace {

constexpr int kTextBusyRetries = 100;
constexpr long kTextBusyPauseNs = 5'000'000;
constexpr int kGuardPollMs = 100;
constexpr int kFdsMaxWithoutCloseRange = 1 << 16;

[[noreturn]] void give_up(const LaunchPlan& plan, LaunchStep step, int detail) noexcept {
    const LaunchFailure failure{.step = step, .detail = detail, .error_number = errno};
    // Whole or not at all: the message is far below PIPE_BUF.
    static_cast<void>(!write(plan.error_pipe, &failure, sizeof failure));
    _exit(127);
}

void reset_signal_handlers() noexcept {
    struct sigaction by_default{};
    by_default.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) {
        sigaction(signal, &by_default, nullptr);  // SIGKILL, SIGSTOP and glibc's own refuse: fine
    }
}

void close_on_exec_from(int first) noexcept {
    if (syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
        return;
    }
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kFdsMaxWithoutCloseRange));
    for (int fd = first; fd < end; ++fd) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
}

void close_range_of(int first, int last) noexcept {
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) {
        return;
    }
    for (int fd = first; fd <= std::min(last, kFdsMaxWithoutCloseRange); ++fd) {
        close(fd);
    }
}

void arrange_descriptors(LaunchPlan& plan) noexcept {
    int free_from = 3;
    for (const FdMove& move : plan.moves) {
        free_from = std::max(free_from, move.target + 1);
    }
    // Sources may sit on each other's targets, so all are parked before any is placed.
    const int error_pipe = fcntl(plan.error_pipe, F_DUPFD_CLOEXEC, free_from);
    if (error_pipe < 0) {
        give_up(plan, LaunchStep::kDescriptors, plan.error_pipe);
    }
    plan.error_pipe = error_pipe;
    for (FdMove& move : plan.moves) {
        move.parked = fcntl(move.source, F_DUPFD_CLOEXEC, free_from);
        if (move.parked < 0) {
            give_up(plan, LaunchStep::kDescriptors, move.target);
        }
    }
    close_on_exec_from(3);
    for (const FdMove& move : plan.moves) {
        if (dup2(move.parked, move.target) < 0) {
            give_up(plan, LaunchStep::kDescriptors, move.target);
        }
    }
}

void apply_limits(const LaunchPlan& plan) noexcept {
    for (const LimitRow& row : plan.limits) {
        rlimit now{};
        getrlimit(static_cast<__rlimit_resource_t>(row.resource), &now);
        const rlimit wanted{
            .rlim_cur = std::min(row.limit.rlim_cur, now.rlim_max),
            .rlim_max = std::min(row.limit.rlim_max, now.rlim_max),
        };
        if (setrlimit(static_cast<__rlimit_resource_t>(row.resource), &wanted) != 0) {
            give_up(plan, LaunchStep::kLimits, row.resource);
        }
    }
}

/// A file that another thread is about to close after writing, or that a fork still holds open,
/// cannot be executed for a moment.
void execute(const LaunchPlan& plan) noexcept {
    for (int attempt = 0; attempt < kTextBusyRetries; ++attempt) {
        execve(plan.program, plan.argv, plan.environment);
        if (errno != ETXTBSY) {
            return;
        }
        const timespec pause{.tv_sec = 0, .tv_nsec = kTextBusyPauseNs};
        nanosleep(&pause, nullptr);
    }
    errno = ETXTBSY;
}

void close_all_but(int first, int second) noexcept {
    const int low = std::min(first, second);
    const int high = std::max(first, second);
    close_range_of(0, low - 1);
    close_range_of(low + 1, high - 1);
    close_range_of(high + 1, ~0U >> 1U);
}

/// The parent's pid from /proc/PID/stat, or -1.
int parent_of(const char* pid) noexcept {
    char path[64] = "/proc/";
    std::size_t length = 6;
    while (*pid != '\0' && length < 50) {
        path[length++] = *pid++;
    }
    for (const char* tail = "/stat"; *tail != '\0';) {
        path[length++] = *tail++;
    }
    char text[512];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    const ssize_t size = read(fd, text, sizeof text);
    close(fd);
    // "PID (name) S PPID …": the name may hold anything, so its end is looked for from behind.
    ssize_t at = size - 1;
    while (at >= 0 && text[at] != ')') {
        --at;
    }
    int parent = 0;
    for (at += 4; at > 3 && at < size && text[at] >= '0' && text[at] <= '9'; ++at) {
        parent = parent * 10 + (text[at] - '0');
    }
    return parent;
}

int to_pid(const char* name) noexcept {
    int pid = 0;
    for (; *name >= '0' && *name <= '9'; ++name) {
        pid = pid * 10 + (*name - '0');
    }
    return *name == '\0' ? pid : 0;
}

/// A record of getdents64: glibc does not export it, and opendir allocates.
struct DirectoryRecord {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[1];
};

/// Sends SIGKILL to our direct children. Only those: nobody but us collects them, so their
/// numbers cannot have passed to others.
void kill_children() noexcept {
    const int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int self = getpid();
    alignas(DirectoryRecord) char buffer[16384];
    long size = 0;
    while ((size = syscall(SYS_getdents64, proc, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < size;) {
            const auto* record = reinterpret_cast<const DirectoryRecord*>(buffer + at);
            const int pid = to_pid(record->name);
            if (pid > 0 && parent_of(record->name) == self) {
                kill(pid, SIGKILL);
            }
            at += record->length;
        }
    }
    close(proc);
}

/// Collects all that has ended and reports the main child. True while children remain.
bool collect(pid_t main_child, int channel) noexcept {
    while (true) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == main_child) {
            const GuardMessage message{.kind = GuardMessage::Kind::kEnded, .value = status};
            send(channel, &message, sizeof message, MSG_NOSIGNAL);
            continue;
        }
        if (pid == 0) {
            return true;
        }
        if (pid < 0 && errno != EINTR) {
            return false;
        }
    }
}

/// Kills until nobody is left: the children of a dead child become ours, so each round takes the
/// next generation.
[[noreturn]] void kill_all_and_exit(pid_t main_child, int channel, int signals) noexcept {
    while (collect(main_child, channel)) {
        kill_children();
        pollfd ended{.fd = signals, .events = POLLIN, .revents = 0};
        if (poll(&ended, 1, kGuardPollMs) > 0) {
            signalfd_siginfo info;
            static_cast<void>(!read(signals, &info, sizeof info));
        }
    }
    _exit(0);
}

[[noreturn]] void guard_until_told(pid_t main_child, int channel, int signals) noexcept {
    while (true) {
        pollfd watched[2] = {
            {.fd = signals, .events = POLLIN, .revents = 0},
            {.fd = channel, .events = POLLIN, .revents = 0},
        };
        if (poll(watched, 2, -1) < 0) {
            continue;
        }
        if (watched[0].revents != 0) {
            signalfd_siginfo info;
            static_cast<void>(!read(signals, &info, sizeof info));
            collect(main_child, channel);
        }
        // We are never sent anything: readable means that the other end has shut down or died.
        if (watched[1].revents != 0) {
            kill_all_and_exit(main_child, channel, signals);
        }
    }
}

}  // namespace

void become_program(LaunchPlan& plan, pid_t parent) noexcept {
    reset_signal_handlers();
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        give_up(plan, LaunchStep::kSession, 0);
    }
    if (getppid() != parent) {
        _exit(127);  // it died before the line above: nobody is there to be told
    }
    if (plan.working_directory >= 0 && fchdir(plan.working_directory) != 0) {
        give_up(plan, LaunchStep::kWorkingDirectory, 0);
    }
    for (std::size_t i = 0; i < plan.before_exec.size(); ++i) {
        const PreExecStep& step = plan.before_exec[i];
        const int failed = step.run(step.context);
        if (failed != 0) {
            errno = failed;
            give_up(plan, LaunchStep::kPreExec, static_cast<int>(i));
        }
    }
    arrange_descriptors(plan);
    apply_limits(plan);
    if (plan.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        give_up(plan, LaunchStep::kPrivileges, 0);
    }
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, nullptr);
    execute(plan);
    give_up(plan, LaunchStep::kExec, 0);
}

void guard_program(LaunchPlan& plan) noexcept {
    // Signals stay blocked: only SIGKILL ends a guard, or the end of its channel.
    reset_signal_handlers();
    if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        give_up(plan, LaunchStep::kSession, 0);
    }
    prctl(PR_SET_NAME, "nexa-guard");
    const pid_t self = getpid();
    // _Fork: fork() itself is not safe in the child of a program with threads.
    const pid_t child = _Fork();
    if (child < 0) {
        give_up(plan, LaunchStep::kFork, 0);
    }
    if (child == 0) {
        become_program(plan, self);
    }
    const GuardMessage started{.kind = GuardMessage::Kind::kStarted, .value = child};
    send(plan.guard_channel, &started, sizeof started, MSG_NOSIGNAL);

    close(plan.error_pipe);  // else the parent would wait for us instead of for exec
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    // Whatever of the parent's stayed open here would keep its pipes and sockets alive.
    close_all_but(plan.guard_channel, signals);
    static_cast<void>(!chdir("/"));
    // The child may have ended before the descriptor was there.
    collect(child, plan.guard_channel);
    guard_until_told(child, plan.guard_channel, signals);
}

}  // namespace nexa::internal
