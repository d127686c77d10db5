// SPDX-License-Identifier: Apache-2.0
#include "api/feeds.h"

#include <charconv>

namespace nexa::api {

std::optional<std::int64_t> place_in(std::string_view text) {
    std::int64_t number = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = failed == std::errc{} && stop == text.data() + text.size();
    return is_whole && number >= 0 ? std::optional(number) : std::nullopt;
}

void end_stream(net::SseStream& stream, const Status& sent) {
    if (sent) {
        stream.finish();
    } else {
        stream.fail(sent.error());
    }
}

}  // namespace nexa::api
