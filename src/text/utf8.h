// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/utf8.h"

namespace nexa::text {

/// One step through bytes that should be UTF-8.
struct DecodedChar {
    char32_t code_point = kReplacementCharacter;
    std::uint8_t length = 1;  ///< bytes to step over, at least 1
    bool valid = false;       ///< false: not UTF-8 here; code_point is U+FFFD
};

/// The character that starts at `at` (at < text.size()). Strict: overlong forms, surrogates and
/// anything above U+10FFFF are invalid. An invalid step covers the longest prefix that could have
/// become a character (the Unicode standard's "maximal subpart"), so that every decoder that
/// follows the standard puts the same number of U+FFFD.
DecodedChar decode_char(std::string_view text, std::size_t at);

/// Appends one scalar value; a surrogate or a value above U+10FFFF becomes U+FFFD.
void append_utf8(char32_t code_point, std::string& out);

/// The text with every invalid step replaced by U+FFFD. The result is valid UTF-8.
std::string replace_invalid_utf8(std::string_view text);

/// Number of characters; an invalid step counts as one.
std::size_t count_code_points(std::string_view text);

/// Turns a stream of byte pieces, cut anywhere, into valid UTF-8: holds back an unfinished
/// character until its rest arrives. One stream, one thread.
class Utf8Assembler {
public:
    /// What can be shown now. Bytes that cannot become a character are replaced by U+FFFD.
    std::string push(std::string_view bytes);
    /// The end of the stream: an unfinished character becomes U+FFFD. Ready for a next stream.
    std::string finish();

private:
    std::string pending_;  // at most 3 bytes: the start of a character
};

}  // namespace nexa::text
