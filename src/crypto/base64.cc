// SPDX-License-Identifier: Apache-2.0
#include "crypto/base64.h"

#include <array>
#include <cstdint>

namespace nexa::crypto {
namespace {

constexpr std::string_view kStandardDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xff;

using DigitValues = std::array<std::uint8_t, 256>;

constexpr DigitValues values_of(std::string_view digits) {
    DigitValues values;
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        values[static_cast<unsigned char>(digits[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr DigitValues kStandardValues = values_of(kStandardDigits);
constexpr DigitValues kUrlValues = values_of(kUrlDigits);

Result<std::string_view> without_padding(std::string_view text) {
    if (text.size() % 4 != 0) {
        return Error::malformed("base64 text has {} characters, no multiple of 4", text.size());
    }
    if (text.ends_with("==")) {
        return text.substr(0, text.size() - 2);
    }
    return text.ends_with('=') ? text.substr(0, text.size() - 1) : text;
}

}  // namespace

std::string to_base64(std::string_view bytes, Base64Form form) {
    const std::string_view digits = form == Base64Form::kUrl ? kUrlDigits : kStandardDigits;
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t window = 0;
    unsigned bits = 0;
    for (const char c : bytes) {
        window = window << 8U | static_cast<unsigned char>(c);
        bits += 8;
        while (bits >= 6) {
            bits -= 6;
            text += digits[window >> bits & 63U];
        }
    }
    if (bits > 0) {
        text += digits[window << (6 - bits) & 63U];
    }
    while (form == Base64Form::kStandard && text.size() % 4 != 0) {
        text += '=';
    }
    return text;
}

Result<std::string> from_base64(std::string_view text, Base64Form form) {
    const DigitValues& values = form == Base64Form::kUrl ? kUrlValues : kStandardValues;
    std::string_view body = text;
    if (form == Base64Form::kStandard) {
        TRY(body, without_padding(text));
    }
    if (body.size() % 4 == 1) {
        return Error::malformed("base64 text of {} characters is cut off", text.size());
    }
    std::string bytes;
    bytes.reserve(body.size() / 4 * 3 + 2);
    std::uint32_t window = 0;
    unsigned bits = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const std::uint8_t value = values[static_cast<unsigned char>(body[i])];
        if (value == kNoDigit) {
            return Error::malformed("character {} is no base64 digit", i);
        }
        window = window << 6U | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(window >> bits & 0xffU);
        }
    }
    if ((window & ((1U << bits) - 1U)) != 0) {
        return Error::malformed("base64 text ends in bits that are not zero");
    }
    return bytes;
}

}  // namespace nexa::crypto
