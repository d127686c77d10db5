// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/process_table.h"
#include "core/result.h"

namespace nexa::sandbox {

struct WalkBounds {
    std::uint64_t entries_max = 200'000;
    int depth_max = 100;  ///< each level holds a descriptor
};

struct DiskUsage {
    std::uint64_t bytes = 0;  ///< allocated blocks; hard links once
    std::uint64_t entries = 0;
    std::string exceeded;  ///< which bound stopped the walk, if one did: then `bytes` is too small
};

/// What lies under `folder` on the disk. Symbolic links are not followed, other file systems
/// mounted below are left out, folders that vanish or that we may not open are skipped.
/// Blocks. Errors: kNotFound (no such folder), kPermissionDenied.
Result<DiskUsage> measure_folder(const std::filesystem::path& folder, const WalkBounds& bounds);

/// Bytes of files that `processes` hold open on the file system of `folder` though no name leads
/// to them any more. Looks at `bounds.entries_max` descriptors at most.
std::uint64_t measure_deleted_files(
    const std::filesystem::path& folder,
    std::span<const ProcessEntry> processes,
    const WalkBounds& bounds
);

}  // namespace nexa::sandbox
