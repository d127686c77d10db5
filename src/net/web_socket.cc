// SPDX-License-Identifier: Apache-2.0
#include "net/web_socket.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "core/json.h"
#include "core/json_codec.h"
#include "net/sse.h"
#include "net/web_socket_internal.h"

namespace nexa::net {

NEXA_JSON_CODEC(EventMessage);

namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kHandshakeMax{5};  // also of the closing one
/// What is read are our own bytes: larger than any event.
constexpr std::size_t kEventBytesMax = std::size_t{64} << 20;
constexpr std::size_t kReasonBytesMax = 123;  // a control frame holds 125, two are the code's

std::vector<std::string> list_in(const RequestHead& head, std::string_view name) {
    std::vector<std::string> words;
    for (const Header& field : head.headers) {
        if (!equals_ignoring_case(field.name, name)) {
            continue;
        }
        for (const auto part : std::views::split(std::string_view(field.value), ',')) {
            std::string_view word(part.begin(), part.end());
            word.remove_prefix(std::min(word.find_first_not_of(" \t"), word.size()));
            word = word.substr(0, word.find_last_not_of(" \t") + 1);
            if (!word.empty()) {
                words.emplace_back(word);
            }
        }
    }
    return words;
}

bool has_word(const RequestHead& head, std::string_view name, std::string_view word) {
    return std::ranges::any_of(list_in(head, name), [&](const std::string& one) {
        return equals_ignoring_case(one, word);
    });
}

/// Sixteen bytes in base64.
bool is_handshake_key(std::string_view key) {
    constexpr std::size_t kDigits = 22;
    return key.size() == kDigits + 2 && key.ends_with("==") &&
           std::ranges::all_of(key.substr(0, kDigits), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/';
           });
}

std::string message_of(const SseEvent& event, bool data_is_json) {
    EventMessage message{.id = event.id, .event = event.event.empty() ? "message" : event.event};
    message.data =
        data_is_json
            ? JsonText{event.data}
            : JsonText{to_json(ValueNode{.kind = ValueNode::Kind::kString, .text = event.data})};
    return to_json(message);
}

/// As much of `text` as a close frame holds, in whole characters.
std::string reason_of(std::string text) {
    if (text.size() > kReasonBytesMax) {
        std::size_t end = kReasonBytesMax;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        text.resize(end);
    }
    return text;
}

/// Beast reads a handshake of its own: the parts of the client's that matter, with what came behind
/// it.
std::string handshake_of(const WebSocketUpgrade& upgrade) {
    return fmt::format(
        "GET / HTTP/1.1\r\nHost: -\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n{}",
        upgrade.body->key,
        upgrade.sent_already
    );
}

/// Two loops on the connection's executor: one takes what the client sends, one sends the events.
class Session {
public:
    explicit Session(WebSocketUpgrade upgrade)
        : upgrade_(std::move(upgrade)),
          events_(*upgrade_.body->events),
          options_(upgrade_.body->options),
          socket_(upgrade_.socket) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    Task<void> run() {
        using asio::experimental::awaitable_operators::operator&&;
        set_options();
        const std::string handshake = handshake_of(upgrade_);
        const auto [failed] = co_await socket_.async_accept(asio::buffer(handshake), kAsTuple);
        if (failed) {
            co_return Error::cancelled("the handshake failed: {}", failed.message());
        }
        socket_.text(true);
        co_await (take_all() && send_all());
        co_return status_;
    }

private:
    void set_options() {
        socket_.set_option(websocket::stream_base::timeout{
            .handshake_timeout = kHandshakeMax,
            .idle_timeout = options_.silence_max,
            .keep_alive_pings = true,
        });
        socket_.read_message_max(options_.message_bytes_max);
        socket_.set_option(websocket::stream_base::decorator(
            [id = std::string(upgrade_.request_id),
             protocol = options_.protocol](websocket::response_type& response) {
                response.set("x-request-id", id);
                response.set(beast::http::field::server, "nexa");
                if (!protocol.empty()) {
                    response.set(beast::http::field::sec_websocket_protocol, protocol);
                }
            }
        ));
    }

    Task<void> take_all() {
        beast::flat_buffer buffer;
        for (;;) {
            const auto [failed, count] = co_await socket_.async_read(buffer, kAsTuple);
            if (failed) {
                note(failed);
                client_ended_ = true;
                events_.close();
                co_return ok();
            }
            buffer.consume(count);  // nothing that a client says has a meaning
        }
    }

    Task<void> send_all() {
        SseReader reader(kEventBytesMax);
        for (;;) {
            Result<std::string> piece = co_await guarded(events_.read());
            if (!piece || piece->empty()) {
                co_return co_await end(piece ? std::nullopt : std::optional(piece.error()));
            }
            const auto events = reader.feed(*piece);
            if (!events) {
                co_return co_await end(events.error());
            }
            for (const SseEvent& event : *events) {
                const std::string text = message_of(event, options_.data_is_json);
                const auto [failed, count] =
                    co_await socket_.async_write(asio::buffer(text), kAsTuple);
                if (failed) {
                    note(failed);
                    events_.close();
                    co_return ok();
                }
            }
        }
    }

    Task<void> end(std::optional<Error> error) {
        if (client_ended_) {
            co_return ok();
        }
        closing_ = true;
        websocket::close_reason reason(
            upgrade_.draining ? websocket::close_code::going_away : websocket::close_code::normal
        );
        if (error) {
            const bool not_allowed = error->code == ErrorCode::kPermissionDenied ||
                                     error->code == ErrorCode::kUnauthenticated;
            reason.code = not_allowed ? websocket::close_code::policy_error
                                      : websocket::close_code::internal_error;
            reason.reason = reason_of(error->message);
            status_ = *std::move(error);
        }
        // What goes wrong with the last words changes nothing any more.
        static_cast<void>(co_await socket_.async_close(reason, kAsTuple));
        co_return ok();
    }

    void note(const boost::system::error_code& failed) {
        // Once either side has said goodbye, it is no matter how the connection ends.
        const bool was_closing = closing_ || static_cast<bool>(socket_.reason());
        if (!status_ || was_closing || failed == asio::error::eof) {
            return;
        }
        status_ = failed == beast::error::timeout
                      ? Error::deadline_exceeded(
                            "the client answered no ping for {} ms, or was too slow to take what "
                            "it asked for",
                            options_.silence_max.count()
                        )
                      : Error::cancelled("the WebSocket broke off: {}", failed.message());
    }

    const WebSocketUpgrade upgrade_;
    BodySource& events_;
    const WebSocketOptions& options_;
    websocket::stream<asio::ip::tcp::socket&> socket_;
    Status status_;
    bool client_ended_ = false;
    bool closing_ = false;
};

}  // namespace

Task<std::string> WebSocketBody::read() {
    co_return Error::internal("a WebSocket is served, not read");
}

bool wants_web_socket(const RequestHead& head) {
    return head.method == Method::kGet && has_word(head, "Upgrade", "websocket") &&
           has_word(head, "Connection", "Upgrade");
}

std::vector<std::string> offered_protocols(const RequestHead& head) {
    return list_in(head, "Sec-WebSocket-Protocol");
}

Response web_socket_response(
    const RequestHead& head, std::shared_ptr<BodySource> events, WebSocketOptions options
) {
    constexpr int kUpgradeRequired = 426;
    if (!wants_web_socket(head) || head.headers.get("Sec-WebSocket-Version") != "13") {
        events->close();
        return Response::failure({
            .error = Error::invalid_argument("this route is for WebSockets of version 13")
                         .hint("for server-sent events ask at the same path without /ws"),
            .status = kUpgradeRequired,
            .headers = {{"upgrade", "websocket"}, {"sec-websocket-version", "13"}},
        });
    }
    const std::string_view key = head.headers.get("Sec-WebSocket-Key");
    if (!is_handshake_key(key)) {
        events->close();
        return Response::failure({
            .error = Error::malformed("Sec-WebSocket-Key is not of 16 bytes in base64"),
        });
    }
    const auto offered = offered_protocols(head);
    if (std::ranges::find(offered, options.protocol) == offered.end()) {
        options.protocol.clear();
    }
    Response response;
    response.status = 101;
    response.body = std::shared_ptr<BodySource>(
        std::make_shared<WebSocketBody>(std::string(key), std::move(events), std::move(options))
    );
    return response;
}

Task<void> serve_web_socket(WebSocketUpgrade upgrade) {
    Session session(std::move(upgrade));
    co_return co_await session.run();
}

}  // namespace nexa::net
