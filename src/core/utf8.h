// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nexa {

inline constexpr char32_t kReplacementCharacter = U'\uFFFD';

/// How many bytes the code point at the front of `text` has; 0 if no well-formed UTF-8 starts there
/// (overlong forms, surrogates, above U+10FFFF, cut short) or `text` is empty.
std::size_t utf8_step(std::string_view text);

/// What stands at the front of text that is not empty.
struct Utf8Front {
    std::size_t bytes;  ///< of the code point, or of the longest part of one that could begin here
    bool is_whole;      ///< a well-formed code point
    char32_t code_point = kReplacementCharacter;
};
/// So that broken text can be replaced part by part, as Unicode recommends.
Utf8Front utf8_front(std::string_view text);

/// Offset of the first byte that is not UTF-8; empty if all is well.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

bool is_utf8(std::string_view text);

/// Code points in well-formed text; every byte that is none counts as one.
std::size_t utf8_length(std::string_view text);

/// Appends `code_point` as UTF-8. It must not be a surrogate and not be above U+10FFFF.
void append_utf8(char32_t code_point, std::string& out);

/// Outside text made fit for one line of a message: control characters and bytes that are no UTF-8
/// become '?', and what is longer than `code_points_max` is cut and ends in "…".
std::string quotable(std::string_view text, std::size_t code_points_max = 64);

}  // namespace nexa
