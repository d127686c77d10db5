// SPDX-License-Identifier: Apache-2.0
#include "data/lines_internal.h"
#include "text/utf8.h"

namespace nexa::data::internal {
namespace {

bool ends_line(char32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const text::DecodedChar step = text::decode_char(text, at);
        const std::size_t end = at;
        at += step.length;
        if (!step.valid || !ends_line(step.code_point)) {
            continue;
        }
        if (step.code_point == U'\r' && at < text.size() && text[at] == '\n') {
            ++at;
        }
        lines.push_back(text.substr(begin, end - begin));
        begin = at;
    }
    if (begin < text.size()) {
        lines.push_back(text.substr(begin));
    }
    return lines;
}

std::vector<std::string_view> split_at_newlines(std::string_view text, std::size_t newlines_min) {
    std::vector<std::string_view> pieces;
    std::size_t begin = 0;
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at)) {
        std::size_t end = text.find_first_not_of('\n', at);
        end = end == std::string_view::npos ? text.size() : end;
        if (end - at >= newlines_min) {
            pieces.push_back(text.substr(begin, at - begin));
            begin = end;
        }
        at = end;
    }
    pieces.push_back(text.substr(begin));
    return pieces;
}

std::string_view strip_left(std::string_view text) {
    while (!text.empty()) {
        const text::DecodedChar step = text::decode_char(text, 0);
        if (!step.valid || !is_python_space(step.code_point)) {
            break;
        }
        text.remove_prefix(step.length);
    }
    return text;
}

std::string_view strip_right(std::string_view text) {
    std::size_t end = text.size();
    while (end > 0) {
        // Back to the start of the last character.
        std::size_t at = end - 1;
        while (at > 0 && end - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
            --at;
        }
        const text::DecodedChar step = text::decode_char(text.substr(0, end), at);
        if (!step.valid || at + step.length != end || !is_python_space(step.code_point)) {
            break;
        }
        end = at;
    }
    return text.substr(0, end);
}

}  // namespace nexa::data::internal
