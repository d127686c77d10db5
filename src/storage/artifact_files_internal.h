// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/artifact.h"

namespace nexa::storage {

struct FoundFile {
    std::string path;  // relative, as in a manifest
    bool is_regular = false;
};

/// All below `folder` that is no folder, in the order of the paths' bytes, without the manifest and
/// its signature. Symbolic links are found, not followed. Errors: kNotFound, kResourceExhausted
/// (more than the 100,000 files of a manifest), kUnavailable.
Result<std::vector<FoundFile>> find_files(const std::filesystem::path& folder);

/// Reads a regular file: its digest, size and media type. Errors: kNotFound, kInvalidArgument (no
/// regular file), kUnavailable.
Result<ArtifactFile> describe_file(const std::filesystem::path& folder, const std::string& path);

/// By the end of the name; "application/octet-stream" if unknown.
std::string_view media_type_of(std::string_view path);

}  // namespace nexa::storage
