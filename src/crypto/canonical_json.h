// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa::crypto {

struct CanonicalJsonLimits {
    std::size_t bytes_max = std::size_t{64} << 20U;  ///< of the text read
    std::size_t depth_max = 128;                     ///< arrays and objects inside each other
};

/// The one text of RFC 8785 (JCS) for the value that `text` holds: no white space, members sorted
/// by the UTF-16 code units of their names, numbers as ECMAScript prints the double they stand for
/// (so integers beyond 2^53 round), strings with the shortest escapes. Two texts of one value give
/// the same bytes; canonical_json(canonical_json(x)) is canonical_json(x). Errors: kMalformed (not
/// JSON, a name twice in one object, invalid UTF-8, a lone surrogate, a number beyond the range of
/// a double, a byte order mark); kInvalidArgument (over a limit).
Result<std::string> canonical_json(std::string_view text, const CanonicalJsonLimits& limits = {});

/// `value` as ECMAScript's Number::toString prints it: the shortest digits that read back as the
/// same double. `value` must be finite.
std::string canonical_number(double value);

/// `utf8` in quotes, with JCS's escapes. `utf8` must be valid UTF-8.
std::string canonical_string(std::string_view utf8);

}  // namespace nexa::crypto
