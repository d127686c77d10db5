// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa::worker {

/// `bytes` of a log as text of the same length, so that offsets mean the same here and at the
/// server: what is no UTF-8, and NUL, becomes '?'. A character that is cut at the end is left off,
/// unless `is_last`.
std::string clean_log_text(std::string_view bytes, bool is_last);

/// Up to `bytes_max` (4 or more) bytes of the log file from `offset`, cleaned. `is_last`: the file
/// will not grow. Blocking. Errors: kUnavailable.
Result<std::string> read_log_part(
    const std::filesystem::path& path, std::int64_t offset, std::size_t bytes_max, bool is_last
);

}  // namespace nexa::worker
