// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nexa::text {
namespace {

// What a lead byte asks of the bytes after it: table 3-7 of the Unicode standard.
struct Lead {
    std::uint8_t length = 0;  // 0: no character starts with this byte
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xBF;
    std::uint8_t payload_mask = 0;
};

constexpr Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) {
        return {1, 0x80, 0xBF, 0x7F};
    }
    if (byte < 0xC2 || byte > 0xF4) {
        return {};
    }
    if (byte < 0xE0) {
        return {2, 0x80, 0xBF, 0x1F};
    }
    if (byte < 0xF0) {
        const std::uint8_t low = byte == 0xE0 ? 0xA0 : 0x80;
        const std::uint8_t high = byte == 0xED ? 0x9F : 0xBF;
        return {3, low, high, 0x0F};
    }
    const std::uint8_t low = byte == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = byte == 0xF4 ? 0x8F : 0xBF;
    return {4, low, high, 0x07};
}

constexpr std::uint8_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<std::uint8_t>(text[at]);
}

// True if the step is invalid only because the text ends inside it.
bool is_cut_short(std::string_view text, std::size_t at, const DecodedChar& step) {
    return !step.valid && at + step.length == text.size() &&
           lead_of(byte_at(text, at)).length > step.length;
}

std::size_t skip_ascii(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
    while (at + 8 <= text.size()) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, 8);
        if ((word & kHighBits) != 0) {
            break;
        }
        at += 8;
    }
    while (at < text.size() && byte_at(text, at) < 0x80) {
        ++at;
    }
    return at;
}

}  // namespace

DecodedChar decode_char(std::string_view text, std::size_t at) {
    const std::uint8_t first = byte_at(text, at);
    const Lead lead = lead_of(first);
    if (lead.length == 0) {
        return {};
    }
    char32_t code_point = first & lead.payload_mask;
    for (std::uint8_t i = 1; i < lead.length; ++i) {
        const std::uint8_t low = i == 1 ? lead.second_min : 0x80;
        const std::uint8_t high = i == 1 ? lead.second_max : 0xBF;
        if (at + i >= text.size() || byte_at(text, at + i) < low || byte_at(text, at + i) > high) {
            return {kReplacementCharacter, i, false};
        }
        code_point = (code_point << 6U) | (byte_at(text, at + i) & 0x3FU);
    }
    return {code_point, lead.length, true};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
    std::size_t at = skip_ascii(text, 0);
    while (at < text.size()) {
        const DecodedChar step = decode_char(text, at);
        if (!step.valid) {
            return at;
        }
        at = skip_ascii(text, at + step.length);
    }
    return std::nullopt;
}

void append_utf8(char32_t code_point, std::string& out) {
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
        code_point = kReplacementCharacter;
    }
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    const auto value = static_cast<std::uint32_t>(code_point);
    if (value < 0x80) {
        put(value);
    } else if (value < 0x800) {
        put(0xC0U | (value >> 6U));
        put(0x80U | (value & 0x3FU));
    } else if (value < 0x10000) {
        put(0xE0U | (value >> 12U));
        put(0x80U | ((value >> 6U) & 0x3FU));
        put(0x80U | (value & 0x3FU));
    } else {
        put(0xF0U | (value >> 18U));
        put(0x80U | ((value >> 12U) & 0x3FU));
        put(0x80U | ((value >> 6U) & 0x3FU));
        put(0x80U | (value & 0x3FU));
    }
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
        const std::size_t after_ascii = skip_ascii(text, at);
        count += after_ascii - at;
        at = after_ascii;
        if (at < text.size()) {
            at += decode_char(text, at).length;
            ++count;
        }
    }
    return count;
}

std::string Utf8Assembler::push(std::string_view bytes) {
    std::string joined = std::exchange(pending_, {});
    joined.append(bytes);
    // Only the last three bytes can be the start of an unfinished character.
    const std::size_t tail = joined.size() - std::min<std::size_t>(joined.size(), 3);
    for (std::size_t at = tail; at < joined.size(); ++at) {
        const bool is_lead = lead_of(byte_at(joined, at)).length > 1;
        if (is_lead && is_cut_short(joined, at, decode_char(joined, at))) {
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
