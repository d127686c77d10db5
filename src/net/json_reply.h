// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.h"
#include "net/http_client.h"

namespace nexa::net {

/// A server's answer as the struct it is. The server may be newer than we are, so what we do not
/// know is passed over. Errors: those that the server answered; kInternal if it cannot be read.
template <class Reply>
Result<Reply> read_json_reply(const HttpResponse& response) {
    if (!response.is_success()) {
        return to_error(response);
    }
    auto reply = from_json<Reply>(response.body, {.unknown_keys = UnknownKeys::kIgnore});
    if (!reply) {
        return Error::internal(
            "the answer of {} cannot be read: {}", response.url, reply.error().to_string()
        );
    }
    return reply;
}

}  // namespace nexa::net
