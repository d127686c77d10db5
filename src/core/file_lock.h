// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "core/file.h"
#include "core/result.h"

namespace nexa {

/// Makes the file if it is not there and locks it, for as long as the descriptor is open; it goes
/// with the process, however that ends. Nobody removes the file. Never waits. Errors: kConflict
/// (somebody has it; the caller says who that would be), kPermissionDenied, kUnavailable.
Result<UniqueFd> lock_file(const std::filesystem::path& path);

}  // namespace nexa
