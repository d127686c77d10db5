// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <algorithm>
#include <utility>

namespace nexa::text {
namespace {

/// True if text's front is the start of a character whose rest may still come.
bool is_cut_short(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const Utf8Front front = utf8_front(text);
    return !front.is_whole && front.bytes == text.size() && first >= 0xC2 && first <= 0xF4;
}

}  // namespace

DecodedChar decode_char(std::string_view text, std::size_t at) {
    if (const auto first = static_cast<unsigned char>(text[at]); first < 0x80) {
        return {first, 1, true};
    }
    const Utf8Front front = utf8_front(text.substr(at));
    return {front.code_point, static_cast<std::uint8_t>(front.bytes), front.is_whole};
}

void append_utf8(char32_t code_point, std::string& out) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    const bool scalar = code_point <= 0x10FFFF && !surrogate;
    nexa::append_utf8(scalar ? code_point : kReplacementCharacter, out);
}

std::string replace_invalid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t bad = at + find_invalid_utf8(text.substr(at)).value_or(text.size() - at);
        out.append(text, at, bad - at);
        at = bad;
        if (at < text.size()) {
            append_utf8(kReplacementCharacter, out);
            at += decode_char(text, at).length;
        }
    }
    return out;
}

std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        at += decode_char(text, at).length;
        ++count;
    }
    return count;
}

std::string Utf8Assembler::push(std::string_view bytes) {
    std::string joined = std::exchange(pending_, {});
    joined.append(bytes);
    // Only the last three bytes can be the start of an unfinished character.
    const std::size_t tail = joined.size() - std::min<std::size_t>(joined.size(), 3);
    for (std::size_t at = tail; at < joined.size(); ++at) {
        if (is_cut_short(std::string_view(joined).substr(at))) {
            pending_ = joined.substr(at);
            joined.resize(at);
        }
    }
    return replace_invalid_utf8(joined);
}

std::string Utf8Assembler::finish() {
    return replace_invalid_utf8(std::exchange(pending_, {}));
}

}  // namespace nexa::text
