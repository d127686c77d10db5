// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "net/web_socket.h"

namespace nexa::net {

/// What web_socket_response() leaves in its Response for the connection to serve.
class WebSocketBody final : public BodySource {
public:
    WebSocketBody(
        std::string the_key, std::shared_ptr<BodySource> the_events, WebSocketOptions the_options
    )
        : key(std::move(the_key)), events(std::move(the_events)), options(std::move(the_options)) {}

    Task<std::string> read() override;
    void close() override { events->close(); }
    void drain() override { events->drain(); }

    const std::string key;  ///< Sec-WebSocket-Key
    const std::shared_ptr<BodySource> events;
    const WebSocketOptions options;
};

struct WebSocketUpgrade {
    asio::ip::tcp::socket& socket;
    std::shared_ptr<WebSocketBody> body;
    std::string_view sent_already;  ///< by the client, behind its request
    std::string_view request_id;
    const std::atomic<bool>& draining;
};

/// Answers the handshake and serves until either side ends it. On the connection's executor; the
/// socket is closed afterwards. Errors: why it ended, if not in good order.
Task<void> serve_web_socket(WebSocketUpgrade upgrade);

}  // namespace nexa::net
