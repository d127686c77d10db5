// SPDX-License-Identifier: Apache-2.0
#include "crypto/canonical_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/check.h"

namespace nexa::crypto {
namespace {

/// Code units, for the order of names alone: UTF-8 sorts U+E000 to U+FFFF before the characters
/// beyond them, UTF-16 after.
std::u16string to_utf16(std::string_view utf8) {
    std::u16string units;
    units.reserve(utf8.size());
    for (std::size_t i = 0; i < utf8.size();) {
        const auto lead = static_cast<unsigned char>(utf8[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        NEXA_CHECK(i + length <= utf8.size());
        constexpr std::array<unsigned, 5> kLeadBits{0, 0x7f, 0x1f, 0x0f, 0x07};
        char32_t point = lead & kLeadBits[length];
        for (std::size_t k = 1; k < length; ++k) {
            point = point << 6U | (static_cast<unsigned char>(utf8[i + k]) & 0x3fU);
        }
        if (point >= 0x10000) {
            units += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10U));
            units += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ffU));
        } else {
            units += static_cast<char16_t>(point);
        }
        i += length;
    }
    return units;
}

struct Member {
    std::u16string order;
    std::string text;  // "name":value
};

/// An array or object whose end has not been read yet.
struct Open {
    bool is_object = false;
    std::string array;  // what stands between the brackets so far
    std::vector<Member> members;
    std::string name;  // of the member whose value comes next
};

std::string close_object(std::vector<Member>& members) {
    std::string text = "{";
    for (const Member& member : members) {
        if (text.size() > 1) {
            text += ',';
        }
        text += member.text;
    }
    return text += '}';
}

/// Takes the parser's events and builds canonical text from the inside out. A method that returns
/// false stops the parser; error() then says why.
class Canonicalizer {
public:
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    explicit Canonicalizer(const CanonicalJsonLimits& limits) : limits_(limits) {}

    bool null() { return value("null"); }
    bool boolean(bool is_true) { return value(is_true ? "true" : "false"); }
    bool number_integer(number_integer_t number) {
        return value(canonical_number(static_cast<double>(number)));
    }
    bool number_unsigned(number_unsigned_t number) {
        return value(canonical_number(static_cast<double>(number)));
    }
    bool number_float(number_float_t number, const string_t&) {
        return value(canonical_number(number));
    }
    bool string(string_t& text) { return value(canonical_string(text)); }
    bool binary(binary_t&) { return fail(Error::malformed("JSON text holds binary data")); }

    bool start_object(std::size_t) { return open(true); }
    bool key(string_t& name) {
        open_.back().name = std::move(name);
        return true;
    }
    bool end_object() {
        std::vector<Member> members = std::move(open_.back().members);
        open_.pop_back();
        std::ranges::sort(members, {}, &Member::order);
        const auto twin = std::ranges::adjacent_find(members, {}, &Member::order);
        if (twin != members.end()) {
            const std::string& text = twin->text;
            return fail(Error::malformed("an object names the same member twice: {:.80}", text));
        }
        return value(close_object(members));
    }
    bool start_array(std::size_t) { return open(false); }
    bool end_array() {
        std::string text = "[" + std::move(open_.back().array) + "]";
        open_.pop_back();
        return value(std::move(text));
    }
    bool parse_error(
        std::size_t position, const std::string&, const nlohmann::json::exception& exception
    ) {
        // The library's own text quotes the input, which may be secret, endless or no UTF-8.
        constexpr int kNumberOverflow = 406;
        if (exception.id == kNumberOverflow) {
            return fail(Error::malformed(
                "the JSON number at byte {} is beyond the range of a double", position
            ));
        }
        return fail(Error::malformed("not JSON at byte {}", position));
    }

    Error error() && { return std::move(error_); }
    std::string text() && { return std::move(done_); }

private:
    bool open(bool is_object) {
        if (open_.size() >= limits_.depth_max) {
            return fail(Error::invalid_argument(
                "JSON text nests deeper than the {} levels allowed", limits_.depth_max
            ));
        }
        open_.emplace_back();
        open_.back().is_object = is_object;
        return true;
    }
    bool value(std::string text) {
        if (open_.empty()) {
            done_ = std::move(text);
        } else if (Open& parent = open_.back(); parent.is_object) {
            parent.members.push_back(
                {to_utf16(parent.name), canonical_string(parent.name) + ":" + text}
            );
        } else {
            parent.array += parent.array.empty() ? "" : ",";
            parent.array += text;
        }
        return true;
    }
    bool fail(Error error) {
        error_ = std::move(error);
        return false;
    }

    CanonicalJsonLimits limits_;
    std::vector<Open> open_;
    std::string done_;
    Error error_ = Error::internal("the JSON parser stopped without a reason");
};

/// The significant digits of a number and the place of its decimal point: 0.digits * 10^point.
struct Decimal {
    std::string digits;
    int point = 0;
};

Decimal shortest_decimal(double magnitude) {
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific
    );
    NEXA_CHECK(written.ec == std::errc());
    const std::string_view text(buffer.data(), written.ptr);
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::size_t sign = text[e + 1] == '+' ? 1 : 0;  // from_chars reads no plus
    std::from_chars(text.data() + e + 1 + sign, written.ptr, exponent);
    Decimal decimal{std::string(text.substr(0, 1)), exponent + 1};
    if (e > 2) {
        decimal.digits += text.substr(2, e - 2);
    }
    return decimal;
}

}  // namespace

std::string canonical_number(double value) {
    NEXA_CHECK(std::isfinite(value));
    if (value == 0) {
        return "0";  // also of -0
    }
    const std::string sign = value < 0 ? "-" : "";
    const auto [digits, point] = shortest_decimal(std::abs(value));
    const int length = static_cast<int>(digits.size());
    // The four layouts of ECMA-262, Number::toString.
    if (length <= point && point <= 21) {
        return sign + digits + std::string(static_cast<std::size_t>(point - length), '0');
    }
    if (0 < point && point <= 21) {
        const auto whole = static_cast<std::size_t>(point);
        return sign + digits.substr(0, whole) + "." + digits.substr(whole);
    }
    if (-6 < point && point <= 0) {
        return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
    }
    const std::string mantissa =
        length == 1 ? digits : digits.substr(0, 1) + "." + digits.substr(1);
    return fmt::format("{}{}e{:+}", sign, mantissa, point - 1);
}

std::string canonical_string(std::string_view utf8) {
    std::string text = "\"";
    text.reserve(utf8.size() + 2);
    for (const char c : utf8) {
        switch (c) {
            case '"':
                text += "\\\"";
                break;
            case '\\':
                text += "\\\\";
                break;
            case '\b':
                text += "\\b";
                break;
            case '\f':
                text += "\\f";
                break;
            case '\n':
                text += "\\n";
                break;
            case '\r':
                text += "\\r";
                break;
            case '\t':
                text += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    text += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    text += c;
                }
        }
    }
    return text += '"';
}

Result<std::string> canonical_json(std::string_view text, const CanonicalJsonLimits& limits) {
    if (text.size() > limits.bytes_max) {
        return Error::invalid_argument(
            "JSON text has {} bytes, more than the {} allowed", text.size(), limits.bytes_max
        );
    }
    // The parser would skip the mark and take a zero byte for the end.
    if (text.starts_with("\xef\xbb\xbf")) {
        return Error::malformed("JSON text starts with a byte order mark");
    }
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
        return Error::malformed("not JSON at byte {}: a zero byte", zero);
    }
    Canonicalizer canonicalizer(limits);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &canonicalizer)) {
        return std::move(canonicalizer).error();
    }
    return std::move(canonicalizer).text();
}

}  // namespace nexa::crypto
