// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "text/unicode_class.h"

namespace nexa::data::internal {

/// White space to Python's str.strip(): Unicode's, and the four separators of ASCII.
inline bool is_python_space(char32_t c) {
    return (c >= 0x1C && c <= 0x1F) || text::class_of(c) == text::CharClass::kSpace;
}

/// As Python's str.splitlines(): at every line end of Unicode, without an empty line at the end.
std::vector<std::string_view> split_lines(std::string_view text);
/// As re.split("\n{min,}", text): the pieces between runs of at least `newlines_min` line feeds.
std::vector<std::string_view> split_at_newlines(std::string_view text, std::size_t newlines_min);

std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);

}  // namespace nexa::data::internal
