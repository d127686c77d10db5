// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa::crypto {

/// The two encodings of RFC 4648 that we write: there is exactly one text for any bytes.
enum class Base64Form {
    kStandard,  ///< + and /, padded with = to a multiple of four
    kUrl,       ///< - and _, never padded: goes into a URL or a header as it is
};

std::string to_base64(std::string_view bytes, Base64Form form = Base64Form::kStandard);

/// The bytes that `text` stands for. Strict: the other form's characters, white space, missing or
/// superfluous padding and bits left over that are not zero are all refused, so that no two texts
/// give the same bytes.
/// Errors: kMalformed.
Result<std::string> from_base64(std::string_view text, Base64Form form = Base64Form::kStandard);

}  // namespace nexa::crypto
