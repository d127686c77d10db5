// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/api_client.h"
#include "protocol/artifact_files.h"
#include "protocol/artifact_views.h"

namespace nexa::cli {

/// Called as files are done: which, and how many of all.
using TransferProgress =
    std::function<void(std::string_view file, std::size_t done, std::size_t all)>;

/// The regular files of `path` (one file, or all below a folder) with their hashes, sorted by path.
/// Blocks on the disk. Errors: kNotFound; kInvalidArgument for an empty folder, a symbolic link or
/// special file below it (neither followed nor left out in silence), or a name that no artifact can
/// hold.
Result<std::vector<protocol::InputFile>> list_files(const std::filesystem::path& path);

struct PushWish {
    std::filesystem::path path;
    std::string kind;
    std::string name;
};

/// Uploads the files of `path` under their hashes, each content once, and makes an artifact of
/// them. Returns the server's answer, an ArtifactView. Blocks. Errors: kConflict if a file changed
/// while it was sent.
Result<std::string> push(ApiClient& api, const PushWish& wish, const TransferProgress& progress);

/// Downloads every file of an artifact below `folder`, which is made. A file appears under its name
/// only when all its bytes have the promised hash; until then it is "<name>.partial". A file that
/// is there with the right bytes already is left alone. Blocks. Errors: kDataLoss (hash or size
/// wrong), kConflict (another file stands in the place), kInvalidArgument (a path that would leave
/// the folder).
Status pull(
    ApiClient& api,
    const protocol::ArtifactView& artifact,
    const std::filesystem::path& folder,
    const TransferProgress& progress
);

}  // namespace nexa::cli
