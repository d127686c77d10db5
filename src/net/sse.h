// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/body_stream.h"

namespace nexa::net {

/// One server-sent event. `id` and `event` are one line each; `data` may be several.
struct SseEvent {
    std::string id = {};     ///< empty: the client keeps the last one
    std::string event = {};  ///< empty: "message"
    std::string data;
    std::optional<std::chrono::milliseconds> retry = std::nullopt;

    friend bool operator==(const SseEvent&, const SseEvent&) = default;
};

/// "id: 7\nevent: progress\ndata: {}\n\n". Line ends inside id and event become spaces.
std::string to_text(const SseEvent& event);

struct SseOptions {
    std::chrono::milliseconds heartbeat{15'000};  ///< a comment after so much silence
    std::size_t bytes_max = 256 * 1024;           ///< that wait for a slow client
    std::optional<std::chrono::milliseconds> retry = std::nullopt;  ///< told to the client first
    /// True for feeds that clients take up again with Last-Event-ID; false for an answer that the
    /// server should finish before it stops.
    bool ends_on_drain = true;
};

/// An event stream: the producer sends from any thread, the connection that got it as its answer
/// writes. Ends when the producer finishes, the client goes (then sends fail with kCancelled) or
/// the server drains. Thread-safe.
class SseStream final : public BodyStream {
public:
    explicit SseStream(SseOptions options = {});

    /// Never waits. Errors: kResourceExhausted if the client is too slow, kCancelled if it has
    /// gone.
    Status try_send(const SseEvent& event) { return try_write(to_text(event)); }
    /// Waits for the client to take what was sent before. Errors: kCancelled.
    Task<void> send(const SseEvent& event) { return write(to_text(event)); }
};

/// The answer of a handler that starts `stream`.
Response sse_response(std::shared_ptr<SseStream> stream);

/// Reads a text/event-stream that comes in pieces. Not thread-safe.
class SseReader {
public:
    explicit SseReader(std::size_t event_bytes_max = 1024 * 1024)
        : event_bytes_max_(event_bytes_max) {}

    /// The events that `bytes` complete. Errors: kResourceExhausted if one is too large.
    Result<std::vector<SseEvent>> feed(std::string_view bytes);
    /// Of the last event that had one: for Last-Event-ID.
    const std::string& last_id() const { return last_id_; }

private:
    void take_line(std::string_view line, std::vector<SseEvent>& events);

    std::size_t event_bytes_max_;
    std::string line_;
    bool after_cr_ = false;
    bool at_start_ = true;
    bool has_data_ = false;
    SseEvent event_;
    std::string last_id_;
};

/// The events of a body that is being received. Not thread-safe.
class SseEvents {
public:
    explicit SseEvents(std::shared_ptr<BodySource> body, std::size_t event_bytes_max = 1024 * 1024)
        : body_(std::move(body)), reader_(event_bytes_max) {}

    /// The next event; empty at the end of the stream. Errors: those of the body, and
    /// kResourceExhausted for an event that is too large.
    Task<std::optional<SseEvent>> next();
    const std::string& last_id() const { return reader_.last_id(); }

private:
    std::shared_ptr<BodySource> body_;
    SseReader reader_;
    std::deque<SseEvent> ready_;
};

}  // namespace nexa::net
