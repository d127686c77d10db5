// SPDX-License-Identifier: Apache-2.0
#include "core/json_string.h"

#include <cstdint>

#include <fmt/format.h>

namespace nexa {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Sequence {
    std::size_t bytes;  ///< how many to take, at least 1
    bool valid;
};

std::uint8_t byte_at(std::string_view text, std::size_t i) {
    return static_cast<std::uint8_t>(text[i]);
}

/// What follows a lead byte of a UTF-8 sequence: how many bytes, and the range of the first. The
/// narrow ranges shut out overlong forms, surrogates and what lies above U+10FFFF.
struct Lead {
    std::size_t followers = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
};

Lead lead_of(std::uint8_t byte) {
    if (byte >= 0xc2 && byte <= 0xdf) {
        return {.followers = 1};
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        const std::uint8_t low = byte == 0xe0 ? 0xa0 : 0x80;
        const std::uint8_t high = byte == 0xed ? 0x9f : 0xbf;
        return {.followers = 2, .low = low, .high = high};
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        const std::uint8_t low = byte == 0xf0 ? 0x90 : 0x80;
        const std::uint8_t high = byte == 0xf4 ? 0x8f : 0xbf;
        return {.followers = 3, .low = low, .high = high};
    }
    return {};
}

/// Looks at the sequence at the front of `text`, whose first byte is not ASCII.
Sequence take_sequence(std::string_view text) {
    Lead lead = lead_of(byte_at(text, 0));
    if (lead.followers == 0) {
        return {1, false};
    }
    for (std::size_t i = 1; i <= lead.followers; ++i) {
        if (i == text.size() || byte_at(text, i) < lead.low || byte_at(text, i) > lead.high) {
            return {i, false};
        }
        lead.low = 0x80;
        lead.high = 0xbf;
    }
    return {lead.followers + 1, true};
}

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
        const std::uint8_t first = byte_at(bytes, 0);
        if (first >= 0x80) {
            const Sequence sequence = take_sequence(bytes);
            out += sequence.valid ? bytes.substr(0, sequence.bytes) : kReplacement;
            bytes.remove_prefix(sequence.bytes);
            continue;
        }
        const char c = bytes.front();
        bytes.remove_prefix(1);
        if (first < 0x20 || first == 0x7f) {
            append_control(out, c);
            continue;
        }
        if (escaped.find(c) != std::string_view::npos) {
            out += '\\';
        }
        out += c;
    }
}

void append_json_string(std::string& out, std::string_view bytes) {
    out += '"';
    append_escaped(out, bytes, "\"\\");
    out += '"';
}

}  // namespace nexa
