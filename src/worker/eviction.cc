// SPDX-License-Identifier: Apache-2.0
#include "worker/eviction.h"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace nexa::worker {

namespace fs = std::filesystem;

std::vector<CachedFile> choose_victims(
    std::vector<CachedFile> files, std::int64_t bytes_max, fs::file_time_type spare_after
) {
    std::int64_t bytes = 0;
    for (const CachedFile& file : files) {
        bytes += file.bytes;
    }
    std::ranges::sort(files, [](const CachedFile& a, const CachedFile& b) {
        return std::tie(a.used_at, a.path) < std::tie(b.used_at, b.path);
    });
    std::vector<CachedFile> victims;
    for (CachedFile& file : files) {
        if (bytes <= bytes_max || file.used_at > spare_after) {
            break;
        }
        bytes -= file.bytes;
        victims.push_back(std::move(file));
    }
    return victims;
}

Result<std::vector<CachedFile>> list_cached(const fs::path& folder) {
    std::vector<CachedFile> files;
    std::error_code failed;
    fs::recursive_directory_iterator entry(folder, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        std::error_code gone;
        if (!entry->is_regular_file(gone) || gone) {
            continue;
        }
        const auto bytes = static_cast<std::int64_t>(entry->file_size(gone));
        const auto used_at = gone ? fs::file_time_type() : entry->last_write_time(gone);
        if (!gone) {
            files.push_back({.path = entry->path(), .bytes = bytes, .used_at = used_at});
        }
    }
    if (failed && failed != std::errc::no_such_file_or_directory) {
        return Error::unavailable("cannot list {}: {}", folder.native(), failed.message());
    }
    return files;
}

void mark_used(const fs::path& file, Timestamp now) {
    std::error_code gone;
    fs::last_write_time(file, to_file_time(now), gone);
}

fs::file_time_type to_file_time(Timestamp time) {
    return std::chrono::file_clock::from_sys(time);
}

}  // namespace nexa::worker
