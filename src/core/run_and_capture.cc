// SPDX-License-Identifier: Apache-2.0
#include "core/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/os_error.h"

namespace nexa {

namespace {

/// The input as a file: unlike a pipe it needs no feeding, and a child that does not read it
/// raises no SIGPIPE here.
Result<UniqueFd> as_file(std::string_view bytes) {
    UniqueFd file(memfd_create("nexa-input", MFD_CLOEXEC));
    if (!file) {
        return os_error(errno, "make a file in memory");
    }
    TRY_STATUS(write_all(file.get(), bytes, "write a file in memory"));
    if (lseek(file.get(), 0, SEEK_SET) != 0) {
        return os_error(errno, "rewind a file in memory");
    }
    return file;
}

/// One stream of the child and what has come out of it.
struct Collected {
    UniqueFd fd;
    std::string bytes;
    bool truncated = false;

    /// Takes what is there without blocking, at most `rounds` buffers of it.
    void read_some(std::uint64_t bytes_max, int rounds) {
        std::array<char, 65536> buffer;
        for (int round = 0; fd && round < rounds; ++round) {
            const ssize_t size = read(fd.get(), buffer.data(), buffer.size());
            if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
                return;
            }
            if (size <= 0) {
                fd.reset();
                return;
            }
            const auto got = static_cast<std::uint64_t>(size);
            const std::uint64_t room = bytes_max - std::min<std::uint64_t>(bytes_max, bytes.size());
            truncated = truncated || got > room;
            bytes.append(buffer.data(), std::min(room, got));
        }
    }
};

constexpr int kRoundsAtTheEnd = 1024;  // 64 MiB: far above what a pipe holds

/// Reads both streams until the child has ended; false if the timer came first.
Result<bool> read_until_end(
    std::array<Collected, 2>& streams, int exit_fd, int timer, std::uint64_t bytes_max
) {
    while (true) {
        std::array<pollfd, 4> watched{{
            {.fd = streams[0].fd.get(), .events = POLLIN, .revents = 0},
            {.fd = streams[1].fd.get(), .events = POLLIN, .revents = 0},
            {.fd = exit_fd, .events = POLLIN, .revents = 0},
            {.fd = timer, .events = POLLIN, .revents = 0},
        }};
        if (poll(watched.data(), watched.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return os_error(errno, "wait for a program's output");
        }
        const bool ended = watched[2].revents != 0;
        for (Collected& stream : streams) {
            stream.read_some(bytes_max, ended ? kRoundsAtTheEnd : 1);
        }
        if (ended || watched[3].revents != 0) {
            return ended;
        }
    }
}

}  // namespace

Result<Captured> run_and_capture(
    const std::vector<std::string>& argv, const CaptureOptions& options
) {
    TRY(const UniqueFd input, as_file(options.input));
    TRY(const UniqueFd timer, make_timer(options.timeout));
    ChildSpec spec;
    spec.argv = argv;
    spec.environment = options.environment;
    spec.working_directory = options.working_directory;
    spec.standard_input = StdioFd{input.get()};
    spec.standard_output = StdioPipe{};
    spec.standard_error = StdioPipe{};
    spec.limits = options.limits;
    TRY(ChildProcess child, ChildProcess::start(spec));

    std::array<Collected, 2> streams;
    streams[0].fd = child.take_stdout();
    streams[1].fd = child.take_stderr();
    for (const Collected& stream : streams) {
        fcntl(stream.fd.get(), F_SETFL, O_NONBLOCK);
    }
    TRY(const bool ended,
        read_until_end(streams, child.exit_fd(), timer.get(), options.output_bytes_max));
    if (!ended) {
        child.end_tree();
        return Error::deadline_exceeded(
            "'{}' did not end within {} ms", argv[0], options.timeout.count()
        );
    }
    TRY(const ExitStatus status, child.wait({}));
    return Captured{
        .status = status,
        .output = std::move(streams[0].bytes),
        .error_output = std::move(streams[1].bytes),
        .truncated = streams[0].truncated || streams[1].truncated,
    };
}

}  // namespace nexa
