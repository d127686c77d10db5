// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace nexa {

/// Owns a file descriptor and closes it. Empty is -1.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    /// Gives the descriptor away: the caller closes it.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    /// Closes what is held and holds `fd` instead.
    void reset(int fd = -1);

private:
    int fd_ = -1;
};

/// A pair of ends of a pipe, both close-on-exec.
struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};
Result<Pipe> make_pipe();

/// Blocks until `fd` is readable or at its end (true) or `deadline` has passed (false).
/// `deadline` is on the system's monotonic clock, SystemClock::steady_now(); a past one only looks.
Result<bool> wait_readable(int fd, std::chrono::steady_clock::time_point deadline);
/// The same, for at most `timeout` from now.
Result<bool> wait_readable(int fd, std::chrono::nanoseconds timeout);

/// A descriptor that becomes readable once, when `timeout` from now has passed: for poll loops.
Result<UniqueFd> make_timer(std::chrono::nanoseconds timeout);

/// The whole content of a regular file of at most `bytes_max` bytes. Blocks on the disk, never on
/// a FIFO or device: those are refused.
/// Errors: kNotFound, kPermissionDenied, kInvalidArgument (no regular file, or too large).
Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// Replaces the content of `path` as a whole: readers see the old bytes or the new, also after a
/// power cut, and the new ones are on the disk when this returns. Blocks on the disk.
///
/// The file gets exactly `mode`. Concurrent writers do not disturb each other; the last rename
/// wins. A symbolic link at `path` is replaced, not followed. On an error `path` is as before and
/// nothing is left beside it. Only a kill in the middle leaves a ".nexa-….tmp".
/// Errors: kUnavailable (disk full), kNotFound (no such folder), kPermissionDenied,
/// kInvalidArgument (`path` is a folder).
Status write_file_atomically(
    const std::filesystem::path& path, std::string_view bytes, unsigned mode = 0644
);

/// Writes all of `bytes` to `fd`, in as many calls as it takes. `what` goes into the error.
Status write_all(int fd, std::string_view bytes, std::string_view what);

/// Makes the folder, and those above it. One that is there is no error. Errors: kPermissionDenied,
/// kUnavailable (disk full, a file stands in the way).
Status make_folders(const std::filesystem::path& path);

/// The same; this folder is then closed to all but its owner, also if it was there.
Status make_private_folder(const std::filesystem::path& path);

/// Removes `path` and all below it; symbolic links are removed, not followed. Folders whose
/// permissions forbid it are made writable first. A path that is not there is no error.
Status remove_tree(const std::filesystem::path& path);

/// Free bytes for an unprivileged writer on the file system of `path`, which must exist.
Result<std::uint64_t> available_bytes(const std::filesystem::path& path);

/// A fresh folder, mode 0700, that is removed with all it holds on destruction.
class TemporaryDirectory {
public:
    /// Makes `parent`/`prefix`XXXXXX. Errors: kNotFound (no such parent), kPermissionDenied,
    /// kUnavailable (disk full).
    static Result<TemporaryDirectory> create(
        const std::filesystem::path& parent, std::string_view prefix = "nexa-"
    );
    TemporaryDirectory(TemporaryDirectory&& other) noexcept
        : path_(std::exchange(other.path_, {})) {}
    TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
    ~TemporaryDirectory();

    const std::filesystem::path& path() const { return path_; }
    /// Keeps the folder: the caller removes it.
    [[nodiscard]] std::filesystem::path release() { return std::exchange(path_, {}); }

private:
    explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
    std::filesystem::path path_;
};

}  // namespace nexa
