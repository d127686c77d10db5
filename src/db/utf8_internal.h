// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nexa::db {

/// True for what both databases store as text: UTF-8 (no overlong forms, no surrogates, nothing
/// above U+10FFFF) without NUL bytes.
bool is_storable_text(std::string_view text);

}  // namespace nexa::db
