// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa::crypto {

/// Bytes as lower-case hex, two characters a byte.
std::string to_hex(std::string_view bytes);

/// The bytes that `text` stands for. Lower and upper case are both read.
/// Errors: kMalformed (odd length, or a character that is no hex digit, named by its position).
Result<std::string> from_hex(std::string_view text);

}  // namespace nexa::crypto
