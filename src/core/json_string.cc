// SPDX-License-Identifier: Apache-2.0
#include "core/json_string.h"

#include <iterator>

#include <fmt/format.h>

#include "core/utf8.h"

namespace nexa {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

void append_control(std::string& out, char c) {
    switch (c) {
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    }
}

}  // namespace

void append_escaped(std::string& out, std::string_view bytes, std::string_view escaped) {
    while (!bytes.empty()) {
        const char c = bytes.front();
        const Utf8Front front = utf8_front(bytes);
        const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        if (!front.is_whole) {
            out += kReplacement;
        } else if (is_control) {
            append_control(out, c);
        } else {
            if (escaped.find(c) != std::string_view::npos) {
                out += '\\';
            }
            out += bytes.substr(0, front.bytes);
        }
        bytes.remove_prefix(front.bytes);
    }
}

void append_json_string(std::string& out, std::string_view bytes) {
    out += '"';
    append_escaped(out, bytes, "\"\\");
    out += '"';
}

}  // namespace nexa
