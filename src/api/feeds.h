// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "net/sse.h"

namespace nexa::api {

// What the feeds of events, log lines and topics have in common.

/// A place in a stream as its ids write it: a whole number from 0, and nothing else.
std::optional<std::int64_t> place_in(std::string_view text);

/// Ends the stream: whole, or with what went wrong.
void end_stream(net::SseStream& stream, const Status& sent);

}  // namespace nexa::api
