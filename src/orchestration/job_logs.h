// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/storage_paths.h"

namespace nexa::orchestration {

/// Which attempt's log.
struct LogRef {
    JobId job_id;
    std::int64_t fence = 0;
};

struct LogChunk {
    std::string text;
    std::int64_t offset = 0;
    std::int64_t bytes_total = 0;
};

/// What is looked for in a log.
struct LogQuery {
    std::string text;         ///< a part of a line; letters of ASCII in either case
    std::int64_t offset = 0;  ///< of the first line that is looked at
    int limit = 100;          ///< matches
    std::int64_t scan_bytes_max = std::int64_t{64} << 20;
};

struct LogMatch {
    std::int64_t offset = 0;  ///< of the line's first byte
    std::string text;         ///< the line, at most kLogLineShown bytes of it
};
inline constexpr std::size_t kLogLineShown = 4096;

struct LogMatches {
    std::vector<LogMatch> matches;
    std::int64_t next_offset = 0;  ///< where to go on
    bool is_all = true;            ///< false: a limit was reached first
    std::int64_t bytes_total = 0;
};

struct JobLogLimits {
    std::int64_t attempt_bytes_max = std::int64_t{256} << 20;
};

/// The text that engines write, a file per attempt, kept after the worker is gone. Blocking.
/// Thread-safe for different attempts; one attempt has one writer, the holder of its lease.
class JobLogs {
public:
    explicit JobLogs(StoragePaths paths, JobLogLimits limits = {})
        : paths_(std::move(paths)), limits_(limits) {}

    /// Stores `text`, which begins at `offset` of the log. What is there already is skipped, so
    /// sending again is harmless; a gap stores nothing. Returns how much is stored now. Beyond the
    /// limit text is dropped, as if stored. Errors: kUnavailable (disk full).
    Result<std::int64_t> append(const LogRef& log, std::int64_t offset, std::string_view text)
        const;

    /// Up to `bytes_max` bytes from `offset`; a negative offset counts from the end. An attempt
    /// without log is empty.
    Result<LogChunk> read(const LogRef& log, std::int64_t offset, std::int64_t bytes_max) const;

    /// The last `lines` lines, as far as they lie in the last `bytes_max` bytes.
    Result<LogChunk> tail(const LogRef& log, std::int64_t lines, std::int64_t bytes_max) const;

    /// The lines that hold a text, from `offset` on. Reads a megabyte at a time; a line longer than
    /// that counts as several.
    Result<LogMatches> search(const LogRef& log, const LogQuery& query) const;

    /// Where an attempt's text lies, once it has any.
    std::filesystem::path path_of(const LogRef& log) const;

private:
    StoragePaths paths_;
    JobLogLimits limits_;
};

}  // namespace nexa::orchestration
