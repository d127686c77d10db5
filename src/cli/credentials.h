// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "core/result.h"
#include "core/secrets.h"

namespace nexa::cli {

/// The file that `nexa login` writes: $XDG_CONFIG_HOME/nexa/credentials, else
/// ~/.config/nexa/credentials. Errors: kInvalidArgument if neither variable is set.
Result<std::filesystem::path> credentials_path(const CliContext& context);

/// Stores `key`, replacing what was there, mode 0600 in a folder of mode 0700. Blocks on the disk.
Status store_key(const std::filesystem::path& path, std::string_view key);

struct FoundKey {
    Secret key;
    std::string origin;  ///< "NEXA_API_KEY", or the file's path
};

/// The key to use: NEXA_API_KEY, else the credentials file; nothing if there is neither.
/// Errors: kPermissionDenied if others may read or write the file, kMalformed if it holds no key.
Result<std::optional<FoundKey>> find_key(const CliContext& context);

}  // namespace nexa::cli
