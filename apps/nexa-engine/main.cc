// SPDX-License-Identifier: Apache-2.0
//
// nexa-engine run DIR: runs the job that lies in DIR and exits with the error's code (0:
// completed).
// nexa-engine serve DIR --socket PATH: answers requests with the model that lies in DIR, until
// SIGTERM or the end of its stdin, where that is a pipe.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/os_error.h"
#include "core/this_process.h"
#include "engine/pipelines/run_job.h"
#include "engine/runner/serve.h"

namespace {

constexpr int kEventFd = 3;
constexpr int kUsageExit = 2;

/// A reader that has gone shows as an error of write(2).
void ignore_closed_pipes() {
    ::signal(SIGPIPE, SIG_IGN);
}

/// Cancels the job when SIGTERM or SIGINT comes. They are taken on a thread, since a handler may
/// not lock.
class SignalWatch {
public:
    explicit SignalWatch(nexa::CancelSource& cancel) {
        // SIGUSR1 is our own: the end of the watch.
        const sigset_t signals = nexa::block_signals({SIGTERM, SIGINT, SIGUSR1});
        ignore_closed_pipes();
        thread_ = std::thread([signals, &cancel] {
            int signal = 0;
            sigwait(&signals, &signal);
            if (signal != SIGUSR1) {
                cancel.cancel();
            }
        });
    }
    ~SignalWatch() {
        pthread_kill(thread_.native_handle(), SIGUSR1);
        thread_.join();
    }
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    std::thread thread_;
};

int exit_code_of(const nexa::Status& ended) {
    if (ended) {
        return EXIT_SUCCESS;
    }
    std::fprintf(stderr, "nexa-engine: %s\n", ended.error().to_string().c_str());
    return nexa::row_of(ended.error().code).exit_code;
}

nexa::RunCode code_of_this_program() {
    constexpr std::string_view kDirty = "-dirty";
    std::string_view commit = NEXA_COMMIT;
    const bool is_dirty = commit.ends_with(kDirty);
    commit.remove_suffix(is_dirty ? kDirty.size() : 0);
    return {.version = NEXA_VERSION, .git_commit = std::string(commit), .git_dirty = is_dirty};
}

int run(const char* dir) {
    nexa::CancelSource cancel;
    const SignalWatch watch(cancel);
    const bool has_events = ::fcntl(kEventFd, F_GETFD) != -1;
    const nexa::SystemClock clock;
    const nexa::CancelToken token = cancel.token();
    return exit_code_of(nexa::pipelines::run_job(
        {.dir = dir, .event_fd = has_events ? kEventFd : -1, .log_fd = STDERR_FILENO},
        {.clock = clock, .cancel = token, .code = code_of_this_program()}
    ));
}

/// A terminal or a file says nothing about whoever started us.
bool is_pipe(int fd) {
    struct stat about{};
    return ::fstat(fd, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode));
}

int serve(const char* dir, const char* socket) {
    const sigset_t signals = nexa::block_signals({SIGTERM, SIGINT});
    ignore_closed_pipes();
    const nexa::UniqueFd stop(::signalfd(-1, &signals, SFD_CLOEXEC));
    if (!stop) {
        return exit_code_of(nexa::os_error(errno, "watch for signals"));
    }
    return exit_code_of(nexa::runner::serve({
        .model_folder = dir,
        .socket = socket,
        .stop_fd = stop.get(),
        .parent_fd = is_pipe(STDIN_FILENO) ? STDIN_FILENO : -1,
    }));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (argc == 3 && command == "run") {
        return run(argv[2]);
    }
    if (argc == 5 && command == "serve" && std::string_view(argv[3]) == "--socket") {
        return serve(argv[2], argv[4]);
    }
    std::fputs("usage: nexa-engine run DIR\n       nexa-engine serve DIR --socket PATH\n", stderr);
    return kUsageExit;
}
