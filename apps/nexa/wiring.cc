// SPDX-License-Identifier: Apache-2.0
#include "wiring.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <iostream>
#include <map>
#include <string_view>

#include "build_info.h"
#include "cli/context.h"
#include "cli/program.h"
#include "config/setting_flags.h"
#include "core/os_error.h"
#include "core/this_process.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kColumnsFallback = 80;
constexpr std::size_t kSecretBytesRead = 4096;

std::size_t terminal_columns() {
    winsize size{};
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
        if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            return size.ws_col;
        }
    }
    return kColumnsFallback;
}

Result<UniqueFd> watch_signals() {
    const sigset_t signals = block_signals({SIGTERM, SIGINT, SIGHUP});
    UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
    if (!fd) {
        return os_error(errno, "watch for signals");
    }
    return fd;
}

/// The terminal without echo, as long as this object lives.
class NoEcho {
public:
    NoEcho() : had_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (had_) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        }
    }
    ~NoEcho() {
        if (had_) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        }
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

private:
    termios before_{};
    bool had_;
};

Result<Secret> ask_secret(const std::string& prompt) {
    std::cerr << prompt << std::flush;
    std::string line(kSecretBytesRead, '\0');
    ssize_t got = 0;
    {
        const NoEcho silence;
        got = ::read(STDIN_FILENO, line.data(), line.size());
    }
    std::cerr << '\n';
    if (got < 0) {
        return os_error(errno, "read the key from the terminal");
    }
    return Secret(std::string_view(line).substr(0, static_cast<std::size_t>(got)));
}

}  // namespace

int run_in_the_world(const std::vector<std::string>& arguments) {
    const SystemClock clock;
    SystemRandom random;
    SystemSleeper sleeper{CancelToken()};
    CliContext context{
        .environment = config::environment_of(environ),
        .in = std::cin,
        .out = std::cout,
        .err = std::cerr,
        .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
        .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
        .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
        .columns = terminal_columns(),
        .clock = clock,
        .random = random,
        .sleeper = sleeper,
        .program_directory = program_directory(),
        .version = NEXA_VERSION,
        .commit = NEXA_COMMIT,
        .watch_signals = watch_signals,
        .ask_secret = ask_secret,
    };
    return run(arguments, context);
}

}  // namespace nexa::cli
