// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "net/http_types.h"

namespace nexa::net {

/// One event of a stream as a WebSocket's text message.
struct EventMessage {
    static constexpr std::string_view kName = "EventMessage";
    std::string id;
    std::string event;
    JsonText data;

    static constexpr auto fields() {
        return std::tuple{
            field("id", &EventMessage::id, "To give as last_event_id after a break").required(),
            field("event", &EventMessage::event, "What it is").required(),
            field("data", &EventMessage::data, "By event: an object, or a string").required(),
        };
    }
};

struct WebSocketOptions {
    /// A client that gives no sign of life for so long is dropped; a ping is sent at half of it.
    /// One that is too slow to take our messages does not answer pings either.
    std::chrono::milliseconds silence_max{30'000};
    /// What clients send is read and dropped; a longer message ends the connection with 1009.
    std::size_t message_bytes_max = 4096;
    /// The events' data is JSON and goes out as such; else it is text and goes out as a string.
    bool data_is_json = false;
    /// Of the subprotocols that a client offers, the one that is agreed to; empty: none.
    std::string protocol = {};
};

/// True if the client asks for a WebSocket.
bool wants_web_socket(const RequestHead& head);
/// The subprotocols that the client offers, in its order.
std::vector<std::string> offered_protocols(const RequestHead& head);

/// The answer of a handler that starts `events`, an event stream: its events go out as
/// EventMessages over a WebSocket (RFC 6455). The stream's end closes it with 1000, its error with
/// 1008 (kPermissionDenied, kUnauthenticated) or 1011 and the message as the reason, the server's
/// stop with 1001. Fragments, pings, closing and the check of UTF-8 are Beast's. No compression.
/// A request that is no good handshake is answered 426 or 400.
Response web_socket_response(
    const RequestHead& head, std::shared_ptr<BodySource> events, WebSocketOptions options = {}
);

}  // namespace nexa::net
