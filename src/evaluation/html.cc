// SPDX-License-Identifier: Apache-2.0
#include "evaluation/html.h"

#include "core/utf8.h"

namespace nexa::evaluation {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string_view escaped(std::string_view code_point) {
    if (code_point.size() > 1) {
        // U+FFFE and U+FFFF are the only noncharacters that XML forbids.
        const bool forbidden = code_point == "\xEF\xBF\xBE" || code_point == "\xEF\xBF\xBF";
        return forbidden ? kReplacement : code_point;
    }
    switch (code_point.front()) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        case '\n':
        case '\t':
            return code_point;
        default:
            return static_cast<unsigned char>(code_point.front()) < 0x20 ? kReplacement
                                                                         : code_point;
    }
}

}  // namespace

std::string escape_html(std::string_view text, std::size_t code_points_max) {
    std::string out;
    std::size_t written = 0;
    while (!text.empty()) {
        if (written++ == code_points_max) {
            return out + "…";
        }
        const Utf8Front front = utf8_front(text);
        out += front.is_whole ? escaped(text.substr(0, front.bytes)) : kReplacement;
        text.remove_prefix(front.bytes);
    }
    return out;
}

}  // namespace nexa::evaluation
