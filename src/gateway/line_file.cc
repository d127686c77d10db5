// SPDX-License-Identifier: Apache-2.0
#include "gateway/line_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "core/os_error.h"

namespace nexa::gateway {

namespace {

/// The size up to and with the last line end.
Result<std::uint64_t> whole_lines(int fd, std::uint64_t size, const std::filesystem::path& path) {
    std::array<char, 4096> room;
    while (size > 0) {
        const std::uint64_t begin = size > room.size() ? size - room.size() : 0;
        const ssize_t got = ::pread(fd, room.data(), size - begin, static_cast<off_t>(begin));
        if (got < 0) {
            return os_error(errno, fmt::format("read {}", path.native()));
        }
        const std::string_view text(room.data(), static_cast<std::size_t>(got));
        const std::size_t last = text.rfind('\n');
        if (last != std::string_view::npos) {
            return begin + last + 1;
        }
        size = begin;
    }
    return 0;
}

}  // namespace

Result<LineFile> LineFile::open(const std::filesystem::path& path, TornEnd torn) {
    constexpr mode_t kOwnerOnly = 0600;
    if (::access(path.c_str(), F_OK) != 0) {
        TRY_STATUS(write_file_atomically(path, "", kOwnerOnly));  // flushes the folder too
    }
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat about{};
    if (!fd || ::fstat(fd.get(), &about) != 0) {
        return os_error(errno, fmt::format("open {}", path.native()));
    }
    const auto size = static_cast<std::uint64_t>(about.st_size);
    TRY(const std::uint64_t whole, whole_lines(fd.get(), size, path));
    const bool ends = whole < size && torn == TornEnd::kEnded;
    LineFile file(path, std::move(fd), ends ? size : whole);
    if (ends) {
        TRY_STATUS(file.append("\n"));
    } else if (whole < size && ::ftruncate(file.file_.get(), static_cast<off_t>(whole)) != 0) {
        return os_error(errno, fmt::format("cut {}", path.native()));
    }
    return file;
}

Status LineFile::append(std::string_view lines) {
    Status written = write(lines);
    if (!written) {
        // Half of a line is worse than none. If not even this works, the next ones go over it.
        static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0);
        return written;
    }
    size_ += lines.size();
    return {};
}

Status LineFile::write(std::string_view lines) {
    std::size_t done = 0;
    while (done < lines.size()) {
        const ssize_t count = ::pwrite(
            file_.get(), lines.data() + done, lines.size() - done, static_cast<off_t>(size_ + done)
        );
        if (count < 0 && errno != EINTR) {
            return os_error(errno, fmt::format("append to {}", path_.native()));
        }
        done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    if (::fdatasync(file_.get()) != 0) {
        return os_error(errno, fmt::format("flush {}", path_.native()));
    }
    return {};
}

}  // namespace nexa::gateway
