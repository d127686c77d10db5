// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/check.h"

namespace nexa {

namespace {

/// What may follow a lead byte: how many bytes, and the range of the first. The narrow ranges shut
/// out overlong forms, surrogates and what lies above U+10FFFF.
struct Lead {
    std::size_t followers = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
};

Lead lead_of(unsigned char byte) {
    Lead lead;
    if (byte >= 0xC2 && byte <= 0xF4) {
        lead.followers = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    }
    switch (byte) {
        case 0xE0:
            lead.low = 0xA0;
            break;
        case 0xED:
            lead.high = 0x9F;
            break;
        case 0xF0:
            lead.low = 0x90;
            break;
        case 0xF4:
            lead.high = 0x8F;
            break;
        default:
            break;
    }
    return lead;
}

/// The offset of the first byte that is no ASCII, or the end.
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
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) {
        ++at;
    }
    return at;
}

}  // namespace

Utf8Front utf8_front(std::string_view text) {
    NEXA_CHECK(!text.empty());
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) {
        return {1, true, byte(0)};
    }
    Lead lead = lead_of(byte(0));
    // Of a lead byte, the bits behind its first zero belong to the code point.
    char32_t code_point = byte(0) & (0x3FU >> lead.followers);
    for (std::size_t i = 1; i <= lead.followers; ++i) {
        if (i == text.size() || byte(i) < lead.low || byte(i) > lead.high) {
            return {i, false};
        }
        code_point = (code_point << 6U) | (byte(i) & 0x3FU);
        lead.low = 0x80;
        lead.high = 0xBF;
    }
    if (lead.followers == 0) {
        return {1, false};
    }
    return {lead.followers + 1, true, code_point};
}

std::size_t utf8_step(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    const Utf8Front front = utf8_front(text);
    return front.is_whole ? front.bytes : 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
    std::size_t at = skip_ascii(text, 0);
    while (at < text.size()) {
        const Utf8Front front = utf8_front(text.substr(at));
        if (!front.is_whole) {
            return at;
        }
        at = skip_ascii(text, at + front.bytes);
    }
    return std::nullopt;
}

bool is_utf8(std::string_view text) {
    return !find_invalid_utf8(text);
}

std::size_t utf8_length(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count) {
        text.remove_prefix(std::max<std::size_t>(1, utf8_step(text)));
    }
    return count;
}

void append_utf8(char32_t code_point, std::string& out) {
    NEXA_CHECK(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
    const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
    const auto put_tail = [&](int shift) { put(0x80 | ((code_point >> shift) & 0x3F)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put_tail(0);
    } else if (code_point < 0x10000) {
        put(0xE0 | (code_point >> 12));
        put_tail(6);
        put_tail(0);
    } else {
        put(0xF0 | (code_point >> 18));
        put_tail(12);
        put_tail(6);
        put_tail(0);
    }
}

std::string quotable(std::string_view text, std::size_t code_points_max) {
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count) {
        if (count == code_points_max) {
            return out + "…";
        }
        const std::size_t step = utf8_step(text);
        const bool control = step == 1 && (text[0] < 0x20 || text[0] == 0x7F);
        if (step == 0 || control) {
            out.push_back('?');
        } else {
            out.append(text.substr(0, step));
        }
        text.remove_prefix(std::max<std::size_t>(1, step));
    }
    return out;
}

}  // namespace nexa
