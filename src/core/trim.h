// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nexa {

/// Without the white space around it: that of ASCII, as isspace(3) has it in the C locale.
constexpr std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n\v\f";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

static_assert(trimmed(" \t a b\r\n\v\f") == "a b");
static_assert(trimmed(" \n ").empty() && trimmed("").empty() && trimmed("a") == "a");

}  // namespace nexa
