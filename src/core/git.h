// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include "core/result.h"

namespace nexa {

/// Which code ran.
struct GitCommit {
    std::string hash;    ///< 40 or 64 hexadecimal digits, as `git rev-parse HEAD` prints them
    bool dirty = false;  ///< tracked files differ from it; untracked ones do not count
    friend bool operator==(const GitCommit&, const GitCommit&) = default;
};

struct GitOptions {
    /// HOME here makes git read the user's configuration, PATH says where git is.
    std::map<std::string, std::string> environment;
    std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

/// The commit checked out in the working tree that `folder` lies in. Asks the `git` program,
/// without a shell; changes nothing in the repository. Blocks.
/// Errors: kNotFound (no such folder, not inside a working tree, no commit yet), kUnavailable (git
/// is not installed, or its answer makes no sense), kPermissionDenied (git distrusts the
/// repository's owner), kDeadlineExceeded.
Result<GitCommit> get_git_commit(
    const std::filesystem::path& folder, const GitOptions& options = {}
);

}  // namespace nexa
