// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/authenticator.h"
#include "net/http_types.h"
#include "net/sse.h"
#include "net/task_group.h"

namespace nexa::api {

/// The subprotocol of event streams over WebSockets. A browser, which cannot send a header, offers
/// it together with "nexa.key." and its key: see key_of().
inline constexpr std::string_view kEventsProtocol = "nexa.events";

/// Where a client that comes again left off: the header Last-Event-ID, or the query parameter
/// last_event_id for those that cannot send it. Empty if it comes for the first time.
std::string last_event_id(const net::RequestHead& head);

/// Answers that go on while their caller may have them. Thread-safe; collaborators outlive it.
class LiveStreams {
public:
    struct Collaborators {
        net::TaskGroup& tasks;  ///< feeds run in it; outlives the server
        Authenticator& authenticator;
    };
    explicit LiveStreams(Collaborators with) : with_(with) {}

    /// What is streamed, and to whom.
    struct Feed {
        std::string name;                        ///< for logs
        std::vector<std::string> scopes;         ///< that the caller needs for as long as it lasts
        std::shared_ptr<net::SseStream> stream;  ///< `run` sends to it, and finishes it
        net::Task<void> run;
        bool data_is_json = false;
    };
    /// Starts the feed, and answers with server-sent events, or with the same events over a
    /// WebSocket if that is what was asked for. Within seconds of the caller's key being revoked,
    /// narrowed or run out the stream gets a `refused` event and breaks off. Errors: kCancelled
    /// (the server stops).
    Result<net::Response> answer(const net::Request& request, Feed feed);

private:
    net::Task<void> watch(
        std::shared_ptr<net::SseStream> stream,
        std::shared_ptr<const net::RequestHead> head,
        std::vector<std::string> scopes
    );

    Collaborators with_;
};

}  // namespace nexa::api
