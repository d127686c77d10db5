// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nexa::text {

/// The byte-level alphabet of GPT-2's files: each byte has one printable character, so that any
/// bytes can be written as JSON text. Printable Latin-1 bytes stand for themselves, the other 68
/// take U+0100 onward in order.
char32_t byte_level_char(std::uint8_t byte);

/// All 256 bytes in the order of their characters: the order of a trained vocabulary.
const std::array<std::uint8_t, 256>& bytes_in_alphabet_order();

/// Bytes as text of that alphabet.
std::string to_byte_level(std::string_view bytes);

/// Back to bytes; nothing if a character lies outside the alphabet or the text is not UTF-8.
std::optional<std::string> from_byte_level(std::string_view text);

}  // namespace nexa::text
