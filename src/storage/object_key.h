// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"

namespace nexa::storage {

inline constexpr std::size_t kKeyBytesMax = 1024;
inline constexpr std::size_t kKeyPartBytesMax = 255;

/// Whether `key` can name an object or a file of an artifact: UTF-8 of 1 to 1024 bytes, parts of 1
/// to 255 bytes between `/`, none of them `.` or `..`, no control character and no backslash. Such
/// a key is a relative path that stays inside its folder, on every backend. Errors:
/// kInvalidArgument, saying what is wrong.
Status check_key(std::string_view key);

}  // namespace nexa::storage
