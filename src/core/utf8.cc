// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <algorithm>

#include "core/check.h"

namespace nexa {

std::size_t utf8_step(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xBF) {
            return 0;
        }
    }
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    const bool too_high = lead == 0xF4 && byte(1) > 0x8F;
    return overlong || surrogate || too_high ? 0 : size;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t step = utf8_step(text);
        if (step == 0) {
            return false;
        }
        text.remove_prefix(step);
    }
    return true;
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
