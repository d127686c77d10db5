// SPDX-License-Identifier: Apache-2.0
//
// nexa-engine run DIR: runs the job that lies in DIR and exits with the error's code (0:
// completed).

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "engine/pipelines/run_job.h"

namespace {

constexpr int kEventFd = 3;
constexpr int kUsageExit = 2;

/// Cancels the job when SIGTERM or SIGINT comes. The signals are blocked in every thread and taken
/// here, since a handler may not lock.
class SignalWatch {
public:
    explicit SignalWatch(nexa::CancelSource& cancel) {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigaddset(&signals_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
        thread_ = std::thread([this, &cancel] {
            int signal = 0;
            sigwait(&signals_, &signal);
            cancel.cancel();
        });
    }
    ~SignalWatch() {
        pthread_kill(
            thread_.native_handle(), SIGTERM
        );  // a second wake-up if one came before: harmless
        thread_.join();
    }
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    sigset_t signals_{};
    std::thread thread_;
};

int run(const char* dir) {
    nexa::CancelSource cancel;
    const SignalWatch watch(cancel);
    ::signal(SIGPIPE, SIG_IGN);  // a reader of events that has gone shows as an error of write(2)
    const bool has_events = ::fcntl(kEventFd, F_GETFD) != -1;
    const nexa::SystemClock clock;
    nexa::SystemRandom random;
    const nexa::CancelToken token = cancel.token();
    const nexa::Status ended = nexa::pipelines::run_job(
        {.dir = dir, .event_fd = has_events ? kEventFd : -1},
        {.clock = clock, .random = random, .cancel = token, .code = {.version = NEXA_VERSION}}
    );
    if (!ended) {
        std::fprintf(stderr, "nexa-engine: %s\n", ended.error().to_string().c_str());
        return nexa::row_of(ended.error().code).exit_code;
    }
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "run") {
        return run(argv[2]);
    }
    std::fputs("usage: nexa-engine run DIR\n", stderr);
    return kUsageExit;
}
