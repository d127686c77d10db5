// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <algorithm>

namespace nexa::net {

namespace {

constexpr std::size_t kParametersMax = 256;

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded.push_back(' ');
            continue;
        }
        if (text[i] != '%') {
            decoded.push_back(text[i]);
            continue;
        }
        const bool whole = i + 2 < text.size();
        const int high = whole ? digit_of(text[i + 1]) : -1;
        const int low = whole ? digit_of(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return Error::malformed("'{}' has a broken percent escape", text);
        }
        const int value = high * 16 + low;
        if (value < 0x20 || value == 0x7f) {
            return Error::malformed("'{}' escapes a control character", text);
        }
        decoded.push_back(static_cast<char>(value));
        i += 2;
    }
    return decoded;
}

}  // namespace

std::string_view without_end_slash(std::string_view url) {
    while (url.ends_with('/')) {
        url.remove_suffix(1);
    }
    return url;
}

Result<std::string> percent_decode(std::string_view text) {
    return decode(text, false);
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        if (is_unreserved(c)) {
            encoded.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded.push_back('%');
        encoded.push_back(kDigits[byte >> 4]);
        encoded.push_back(kDigits[byte & 15]);
    }
    return encoded;
}

std::optional<std::string_view> Query::find(std::string_view name) const {
    const auto found = std::ranges::find(values_, name, [](const auto& pair) {
        return std::string_view(pair.first);
    });
    if (found == values_.end()) {
        return std::nullopt;
    }
    return found->second;
}

Result<Query> parse_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> values;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        if (part.empty()) {
            continue;
        }
        if (values.size() == kParametersMax) {
            return Error::malformed("the query has more than {} parameters", kParametersMax);
        }
        const std::size_t equals = part.find('=');
        TRY(std::string name, decode(part.substr(0, equals), true));
        std::string value;
        if (equals != std::string_view::npos) {
            TRY(value, decode(part.substr(equals + 1), true));
        }
        values.emplace_back(std::move(name), std::move(value));
    }
    return Query(std::move(values));
}

}  // namespace nexa::net
