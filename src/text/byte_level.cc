// SPDX-License-Identifier: Apache-2.0
#include "text/byte_level.h"

#include <algorithm>

#include "text/utf8.h"

namespace nexa::text {
namespace {

constexpr std::size_t kAlphabetEnd = 256 + 68;  // one above the largest character

constexpr bool stands_for_itself(std::uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
}

constexpr auto kChars = [] {
    std::array<char32_t, 256> chars{};
    char32_t next = 256;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        chars[byte] = stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
    }
    return chars;
}();

constexpr auto kBytes = [] {
    std::array<std::int16_t, kAlphabetEnd> bytes{};
    bytes.fill(-1);
    for (std::int16_t byte = 0; byte < 256; ++byte) {
        bytes[kChars[static_cast<std::size_t>(byte)]] = byte;
    }
    return bytes;
}();

constexpr auto kAlphabetOrder = [] {
    std::array<std::uint8_t, 256> order{};
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = static_cast<std::uint8_t>(i);
    }
    std::ranges::sort(order, {}, [](std::uint8_t byte) { return kChars[byte]; });
    return order;
}();

}  // namespace

char32_t byte_level_char(std::uint8_t byte) {
    return kChars[byte];
}

const std::array<std::uint8_t, 256>& bytes_in_alphabet_order() {
    return kAlphabetOrder;
}

std::string to_byte_level(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() + bytes.size() / 4);
    for (const char byte : bytes) {
        append_utf8(kChars[static_cast<std::uint8_t>(byte)], text);
    }
    return text;
}

std::optional<std::string> from_byte_level(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const DecodedChar step = decode_char(text, at);
        if (!step.valid || step.code_point >= kAlphabetEnd || kBytes[step.code_point] < 0) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<char>(kBytes[step.code_point]));
        at += step.length;
    }
    return bytes;
}

}  // namespace nexa::text
