// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nexa::evaluation {

/// `text` fit for the content of an element and for an attribute in double quotes, in HTML and in
/// XML: markup is escaped, what is no UTF-8 or no character that XML allows becomes U+FFFD, and
/// what is longer than `code_points_max` is cut and ends in "…".
std::string escape_html(std::string_view text, std::size_t code_points_max = 1000);

}  // namespace nexa::evaluation
