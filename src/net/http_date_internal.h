// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace nexa::net {

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string to_http_date(Timestamp time);
/// The same for Date fields: made once a second and thread. Valid until the thread's next call.
std::string_view http_date_now(Timestamp now);
/// Reads that form; nothing if `text` is of another.
std::optional<Timestamp> parse_http_date(std::string_view text);

}  // namespace nexa::net
