// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_logs.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/check.h"
#include "core/file.h"

namespace nexa::orchestration {

namespace {

constexpr std::int64_t kSearchBytes = std::int64_t{1} << 20;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Error log_error(const char* what, const std::filesystem::path& path, int number) {
    return Error::unavailable(
        "cannot {} log {}: {}",
        what,
        path.string(),
        number == ENOSPC || number == EDQUOT ? "disk full" : std::generic_category().message(number)
    );
}

Result<std::int64_t> size_of(int fd, const std::filesystem::path& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        return log_error("stat", path, errno);
    }
    return std::int64_t{status.st_size};
}

Status write_at(
    int fd, const std::filesystem::path& path, std::int64_t offset, std::string_view text
) {
    while (!text.empty()) {
        const ::ssize_t written = ::pwrite(fd, text.data(), text.size(), offset);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return log_error("write", path, errno);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
        offset += written;
    }
    return {};
}

}  // namespace

std::filesystem::path JobLogs::path_of(const LogRef& log) const {
    const auto folder = paths_.job(log.job_id.text());
    NEXA_CHECK(folder.has_value());  // a JobId holds no path characters
    return *folder / fmt::format("log.{}", log.fence);
}

Result<std::int64_t> JobLogs::append(const LogRef& log, std::int64_t offset, std::string_view text)
    const {
    const std::filesystem::path path = path_of(log);
    TRY_STATUS(make_folders(path.parent_path()));
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) {
        return log_error("open", path, errno);
    }
    TRY(const std::int64_t stored, size_of(fd.get(), path));
    const std::int64_t end = offset + static_cast<std::int64_t>(text.size());
    if (offset > stored || end <= stored || stored >= limits_.attempt_bytes_max) {
        // A gap is answered with what is stored, so that the worker sends again from there.
        return stored >= limits_.attempt_bytes_max ? std::max(stored, end) : stored;
    }
    text.remove_prefix(static_cast<std::size_t>(stored - offset));
    TRY_STATUS(write_at(fd.get(), path, stored, text));
    return end;
}

Result<LogChunk> JobLogs::read(const LogRef& log, std::int64_t offset, std::int64_t bytes_max)
    const {
    const std::filesystem::path path = path_of(log);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return errno == ENOENT ? Result<LogChunk>(LogChunk{}) : log_error("open", path, errno);
    }
    TRY(const std::int64_t total, size_of(fd.get(), path));
    LogChunk chunk{
        .offset = offset < 0 ? std::max<std::int64_t>(total + offset, 0) : std::min(offset, total),
        .bytes_total = total
    };
    chunk.text.resize(
        static_cast<std::size_t>(std::clamp<std::int64_t>(total - chunk.offset, 0, bytes_max))
    );
    std::size_t filled = 0;
    while (filled < chunk.text.size()) {
        const ::ssize_t got = ::pread(
            fd.get(),
            chunk.text.data() + filled,
            chunk.text.size() - filled,
            chunk.offset + static_cast<std::int64_t>(filled)
        );
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return log_error("read", path, errno);
        }
        if (got == 0) {
            break;
        }
        filled += static_cast<std::size_t>(got);
    }
    chunk.text.resize(filled);
    return chunk;
}

Result<LogChunk> JobLogs::tail(const LogRef& log, std::int64_t lines, std::int64_t bytes_max)
    const {
    TRY(LogChunk chunk, read(log, -bytes_max, bytes_max));
    std::size_t start = chunk.text.size();
    start -= chunk.text.ends_with('\n') ? 1 : 0;
    for (; lines > 0 && start > 0; --lines) {
        const std::size_t end = chunk.text.rfind('\n', start - 1);
        if (end == std::string::npos) {
            start = 0;
        } else if (lines == 1) {
            start = end + 1;
            break;
        } else {
            start = end;
        }
    }
    chunk.offset += static_cast<std::int64_t>(start);
    chunk.text.erase(0, start);
    return chunk;
}

Result<LogMatches> JobLogs::search(const LogRef& log, const LogQuery& query) const {
    const auto same = [](char left, char right) { return lower(left) == lower(right); };
    LogMatches found{.next_offset = query.offset};
    const std::int64_t scan_end = query.offset + query.scan_bytes_max;
    for (;;) {
        TRY(const LogChunk chunk, read(log, found.next_offset, kSearchBytes));
        found.bytes_total = chunk.bytes_total;
        std::string_view text = chunk.text;
        const bool is_last =
            chunk.offset + static_cast<std::int64_t>(text.size()) >= chunk.bytes_total;
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            if (end == std::string_view::npos && !is_last && text.size() < chunk.text.size()) {
                break;  // the line goes on in the next piece
            }
            const std::string_view line = text.substr(0, end);
            if (!std::ranges::search(line, query.text, same).empty()) {
                if (found.matches.size() == static_cast<std::size_t>(query.limit)) {
                    found.is_all = false;
                    return found;
                }
                found.matches.push_back(
                    {.offset = found.next_offset, .text = std::string(line.substr(0, kLogLineShown))
                    }
                );
            }
            const std::size_t taken = line.size() + (end == std::string_view::npos ? 0 : 1);
            found.next_offset += static_cast<std::int64_t>(taken);
            text.remove_prefix(taken);
        }
        if (is_last) {
            return found;
        }
        if (found.next_offset >= scan_end) {
            found.is_all = false;
            return found;
        }
    }
}

}  // namespace nexa::orchestration
