// SPDX-License-Identifier: Apache-2.0
#include "api/live_streams.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "api/query.h"
#include "core/error_code.h"
#include "core/json.h"
#include "net/web_socket.h"

namespace nexa::api {

namespace {

constexpr std::chrono::seconds kLookAgain{2};

/// True if the caller may not have the stream any more; false if nobody can say right now.
bool is_refusal(const Error& error) {
    return error.code == ErrorCode::kUnauthenticated ||
           error.code == ErrorCode::kPermissionDenied || error.code == ErrorCode::kNotFound;
}

net::SseEvent last_words(const Error& error) {
    const std::string message =
        to_json(ValueNode{.kind = ValueNode::Kind::kString, .text = error.message});
    return {
        .event = "refused",
        .data = fmt::format(R"({{"code":"{}","message":{}}})", row_of(error.code).name, message),
    };
}

}  // namespace

std::string last_event_id(const net::RequestHead& head) {
    if (const std::string* sent = head.headers.find("Last-Event-ID")) {
        return *sent;
    }
    return text_parameter(head.query, "last_event_id").value_or("");
}

Result<net::Response> LiveStreams::answer(const net::Request& request, Feed feed) {
    TRY_STATUS(with_.tasks.spawn(feed.name, std::move(feed.run)));
    TRY_STATUS(with_.tasks.spawn(
        feed.name + " watch", watch(feed.stream, request.head, std::move(feed.scopes))
    ));
    if (net::wants_web_socket(*request.head) || request.head->path.ends_with("/ws")) {
        return net::web_socket_response(
            *request.head,
            std::move(feed.stream),
            {.data_is_json = feed.data_is_json, .protocol = std::string(kEventsProtocol)}
        );
    }
    return net::sse_response(std::move(feed.stream));
}

net::Task<void> LiveStreams::watch(
    std::shared_ptr<net::SseStream> stream,
    std::shared_ptr<const net::RequestHead> head,
    std::vector<std::string> scopes
) {
    while (!stream->closed()) {
        CO_TRY_STATUS(co_await net::sleep_for(kLookAgain));
        const Status may = co_await with_.authenticator.look_again(head, scopes);
        if (!may && is_refusal(may.error())) {
            static_cast<void>(stream->try_send(last_words(may.error())).has_value());
            stream->fail(may.error());
        }
    }
    co_return ok();
}

}  // namespace nexa::api
