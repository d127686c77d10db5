// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

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

private:
    std::filesystem::path path_of(const LogRef& log) const;

    StoragePaths paths_;
    JobLogLimits limits_;
};

}  // namespace nexa::orchestration
