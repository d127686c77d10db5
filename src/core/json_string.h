// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nexa {

/// Appends `bytes` as a JSON string with its quotes: one line of valid UTF-8 whatever goes in.
/// Control characters become escapes; what is no UTF-8 becomes U+FFFD, one for each maximal part
/// of a sequence that could have begun well.
void append_json_string(std::string& out, std::string_view bytes);

/// The same without quotes, and with a backslash only before characters of `escaped`: for text
/// that people read.
void append_escaped(std::string& out, std::string_view bytes, std::string_view escaped);

}  // namespace nexa
