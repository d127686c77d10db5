// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "core/os_error.h"

namespace nexa {

namespace {

namespace fs = std::filesystem;

/// A file that is unlinked again unless it was renamed to its place.
class PendingFile {
public:
    static Result<PendingFile> create(const fs::path& folder) {
        std::string name = (folder / ".nexa-XXXXXX.tmp").string();
        const int fd = mkostemps(name.data(), 4, O_CLOEXEC);
        if (fd < 0) {
            return os_error(errno, fmt::format("make a file in '{}'", folder.string()));
        }
        return PendingFile(std::move(name), fd);
    }
    PendingFile(PendingFile&& other) noexcept
        : name_(std::exchange(other.name_, {})), fd_(std::move(other.fd_)) {}
    PendingFile& operator=(PendingFile&&) = delete;
    ~PendingFile() {
        if (!name_.empty()) {
            unlink(name_.c_str());
        }
    }

    int fd() const { return fd_.get(); }

    Status rename_to(const fs::path& path) {
        if (rename(name_.c_str(), path.c_str()) != 0) {
            return os_error(errno, fmt::format("replace '{}'", path.string()));
        }
        name_.clear();
        return {};
    }

private:
    PendingFile(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
    std::string name_;
    UniqueFd fd_;
};

Status sync(int fd, const fs::path& path) {
    // Some network file systems cannot sync a folder and say EINVAL: nothing more can be done.
    if (fsync(fd) != 0 && errno != EINVAL) {
        return os_error(errno, fmt::format("flush '{}' to the disk", path.string()));
    }
    return {};
}

Status sync_folder(const fs::path& folder) {
    const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return os_error(errno, fmt::format("open folder '{}'", folder.string()));
    }
    return sync(fd.get(), folder);
}

fs::path folder_of(const fs::path& path) {
    return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

Error too_large(const fs::path& path, std::uint64_t bytes_max) {
    return Error::invalid_argument(
        "file '{}' is larger than the limit of {} bytes", path.string(), bytes_max
    );
}

Result<UniqueFd> start_timer(std::chrono::nanoseconds time, int flags) {
    UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer) {
        return os_error(errno, "make a timer");
    }
    // Zero would disarm it.
    const auto at = std::max(time, std::chrono::nanoseconds(1));
    itimerspec when{};
    when.it_value.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(at).count();
    when.it_value.tv_nsec = (at % std::chrono::seconds(1)).count();
    if (timerfd_settime(timer.get(), flags, &when, nullptr) != 0) {
        return os_error(errno, "set a timer");
    }
    return timer;
}

/// True if `fd` is readable, false if only the timer is.
Result<bool> wait_for_either(int fd, int timer) {
    std::array<pollfd, 2> watched{
        {{.fd = fd, .events = POLLIN, .revents = 0}, {.fd = timer, .events = POLLIN, .revents = 0}}
    };
    while (poll(watched.data(), watched.size(), -1) < 0) {
        if (errno != EINTR) {
            return os_error(errno, "wait for a descriptor");
        }
    }
    return watched[0].revents != 0;
}

void make_folders_writable(const fs::path& root) {
    std::error_code error;
    fs::permissions(root, fs::perms::owner_all, fs::perm_options::add, error);
    // Permissions are opened up before the iterator steps into a folder.
    for (auto entry = fs::recursive_directory_iterator(
             root, fs::directory_options::skip_permission_denied, error
         );
         !error && entry != fs::recursive_directory_iterator();
         entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
            fs::permissions(entry->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
        }
    }
}

}  // namespace

void UniqueFd::reset(int fd) {
    if (fd_ >= 0 && fd_ != fd) {
        close(fd_);
    }
    fd_ = fd;
}

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        return os_error(errno, "make a pipe");
    }
    return Pipe{.read_end = UniqueFd(ends[0]), .write_end = UniqueFd(ends[1])};
}

Result<UniqueFd> make_timer(std::chrono::nanoseconds timeout) {
    return start_timer(timeout, 0);
}

Result<bool> wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
    // An absolute timer: no need to read a clock, and interruptions do not lengthen the wait.
    TRY(const UniqueFd timer, start_timer(deadline.time_since_epoch(), TFD_TIMER_ABSTIME));
    return wait_for_either(fd, timer.get());
}

Result<bool> wait_readable(int fd, std::chrono::nanoseconds timeout) {
    TRY(const UniqueFd timer, start_timer(timeout, 0));
    return wait_for_either(fd, timer.get());
}

Result<std::string> read_file(const fs::path& path, std::uint64_t bytes_max) {
    const std::string what = fmt::format("read '{}'", path.string());
    // O_NONBLOCK: opening a FIFO that nobody writes to would block for ever.
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!fd || fstat(fd.get(), &status) != 0) {
        return os_error(errno, what);
    }
    if (!S_ISREG(status.st_mode)) {
        return Error::invalid_argument("cannot {}: it is not a regular file", what);
    }
    if (status.st_size > 0 && static_cast<std::uint64_t>(status.st_size) > bytes_max) {
        return too_large(path, bytes_max);
    }
    // The size is a hint: files of /proc say 0, and a log may grow meanwhile.
    std::string bytes;
    std::uint64_t step = static_cast<std::uint64_t>(status.st_size) + 1;
    while (true) {
        const std::size_t have = bytes.size();
        bytes.resize(have + std::max<std::uint64_t>(step, 4096));
        const ssize_t got = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
        if (got < 0 && errno != EINTR) {
            return os_error(errno, what);
        }
        bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (bytes.size() > bytes_max) {
            return too_large(path, bytes_max);
        }
        if (got == 0) {
            return bytes;
        }
        step = std::min<std::uint64_t>(bytes.size(), std::uint64_t{1} << 20U);
    }
}

Status write_all(int fd, std::string_view bytes, std::string_view what) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return os_error(errno, what);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Status write_file_atomically(const fs::path& path, std::string_view bytes, unsigned mode) {
    if (!path.has_filename()) {
        return Error::invalid_argument("cannot write '{}': it names no file", path.string());
    }
    const fs::path folder = folder_of(path);
    TRY(PendingFile file, PendingFile::create(folder));
    TRY_STATUS(write_all(file.fd(), bytes, fmt::format("write '{}'", path.string())));
    if (fchmod(file.fd(), mode) != 0) {
        return os_error(errno, fmt::format("set the mode of '{}'", path.string()));
    }
    TRY_STATUS(sync(file.fd(), path));
    TRY_STATUS(file.rename_to(path));
    return sync_folder(folder);
}

Status make_folders(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (!error) {
        return {};
    }
    Error failed = os_error(error.value(), fmt::format("make the folder '{}'", path.string()));
    if (failed.code != ErrorCode::kPermissionDenied) {
        failed.code = ErrorCode::kUnavailable;  // "not found" would be of something else
    }
    return failed;
}

Status make_private_folder(const fs::path& path) {
    TRY_STATUS(make_folders(path));
    std::error_code error;
    fs::permissions(path, fs::perms::owner_all, error);
    if (error) {
        return os_error(error.value(), fmt::format("close the folder '{}'", path.string()));
    }
    return {};
}

Status remove_tree(const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error == std::errc::permission_denied) {
        make_folders_writable(path);
        fs::remove_all(path, error);
    }
    if (error) {
        return os_error(error.value(), fmt::format("remove '{}'", path.string()));
    }
    return {};
}

Result<std::uint64_t> available_bytes(const fs::path& path) {
    struct statvfs status{};
    if (statvfs(path.c_str(), &status) != 0) {
        return os_error(errno, fmt::format("ask for the free space of '{}'", path.string()));
    }
    return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Result<TemporaryDirectory> TemporaryDirectory::create(
    const fs::path& parent, std::string_view prefix
) {
    std::string name = (parent / fmt::format("{}XXXXXX", prefix)).string();
    if (mkdtemp(name.data()) == nullptr) {
        return os_error(errno, fmt::format("make a folder in '{}'", parent.string()));
    }
    return TemporaryDirectory(fs::path(std::move(name)));
}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
}

TemporaryDirectory::~TemporaryDirectory() {
    if (!path_.empty()) {
        // Nobody to tell: what is left lies under tmp/, which is swept at the next start.
        static_cast<void>(remove_tree(path_));
    }
}

}  // namespace nexa
