// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace nexa::worker {

/// A file that can be had again.
struct CachedFile {
    std::filesystem::path path;
    std::int64_t bytes = 0;
    std::filesystem::file_time_type used_at;
};

/// Which of `files` to remove so that the rest has at most `bytes_max`: those that nobody has used
/// for longest, and none that was used after `spare_after`. Plain.
std::vector<CachedFile> choose_victims(
    std::vector<CachedFile> files,
    std::int64_t bytes_max,
    std::filesystem::file_time_type spare_after
);

/// Regular files below `folder` with the time of their last mark_used() or writing. A folder that
/// is not there holds none; files that go meanwhile are passed over. Blocking. Errors:
/// kUnavailable.
Result<std::vector<CachedFile>> list_cached(const std::filesystem::path& folder);

/// Notes that the file is in use, in the file's own time stamp. Blocking. A file that has gone is
/// no error.
void mark_used(const std::filesystem::path& file, Timestamp now);

/// A moment in the form of file time stamps.
std::filesystem::file_time_type to_file_time(Timestamp time);

}  // namespace nexa::worker
