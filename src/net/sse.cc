// SPDX-License-Identifier: Apache-2.0
#include "net/sse.h"

#include <algorithm>
#include <charconv>

namespace nexa::net {

namespace {

void append_line(std::string& text, std::string_view name, std::string_view value) {
    text += name;
    text += ": ";
    for (const char c : value) {
        text += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
    text += '\n';
}

void append_data(std::string& text, std::string_view data) {
    for (;;) {
        const std::size_t end = std::min(data.find_first_of("\r\n"), data.size());
        append_line(text, "data", data.substr(0, end));
        if (end == data.size()) {
            return;
        }
        const bool is_pair = data.substr(end).starts_with("\r\n");
        data.remove_prefix(end + (is_pair ? 2 : 1));
    }
}

}  // namespace

std::string to_text(const SseEvent& event) {
    std::string text;
    text.reserve(event.data.size() + 64);
    if (!event.id.empty()) {
        append_line(text, "id", event.id);
    }
    if (!event.event.empty()) {
        append_line(text, "event", event.event);
    }
    if (event.retry) {
        append_line(text, "retry", std::to_string(event.retry->count()));
    }
    append_data(text, event.data);
    text += '\n';
    return text;
}

SseStream::SseStream(SseOptions options)
    : BodyStream({
          .bytes_max = options.bytes_max,
          .idle_piece = ": still here\n\n",
          .idle_after = options.heartbeat,
          .ends_on_drain = options.ends_on_drain,
      }) {
    if (options.retry) {
        // The first write into an empty stream always fits.
        static_cast<void>(
            try_write(fmt::format("retry: {}\n\n", options.retry->count())).has_value()
        );
    }
}

Response sse_response(std::shared_ptr<SseStream> stream) {
    Response response = Response::stream(std::move(stream), "text/event-stream");
    response.headers.add("cache-control", "no-cache");
    response.headers.add("x-accel-buffering", "no");  // nginx would hold events back
    return response;
}

Result<std::vector<SseEvent>> SseReader::feed(std::string_view bytes) {
    std::vector<SseEvent> events;
    if (at_start_ && bytes.starts_with("\xEF\xBB\xBF")) {
        bytes.remove_prefix(3);
    }
    at_start_ = at_start_ && bytes.empty();
    for (const char c : bytes) {
        const bool ends_pair = c == '\n' && after_cr_;
        after_cr_ = c == '\r';
        if (ends_pair) {
            continue;
        }
        if (c == '\r' || c == '\n') {
            take_line(line_, events);
            line_.clear();
            continue;
        }
        if (line_.size() + event_.data.size() >= event_bytes_max_) {
            return Error::resource_exhausted("an event is over {} bytes", event_bytes_max_);
        }
        line_ += c;
    }
    return events;
}

void SseReader::take_line(std::string_view line, std::vector<SseEvent>& events) {
    if (line.empty()) {
        if (has_data_) {
            event_.data.pop_back();  // each data line added a line end
            event_.id = last_id_;
            events.push_back(std::move(event_));
        }
        event_ = {};
        has_data_ = false;
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (name == "data") {
        event_.data += value;
        event_.data += '\n';
        has_data_ = true;
    } else if (name == "event") {
        event_.event = value;
    } else if (name == "id" && value.find('\0') == std::string_view::npos) {
        last_id_ = value;
    } else if (name == "retry") {
        std::uint32_t milliseconds = 0;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
        if (read.ec == std::errc() && read.ptr == value.data() + value.size()) {
            event_.retry = std::chrono::milliseconds(milliseconds);
        }
    }
}

Task<std::optional<SseEvent>> SseEvents::next() {
    while (ready_.empty()) {
        CO_TRY(const std::string piece, co_await body_->read());
        if (piece.empty()) {
            co_return std::optional<SseEvent>();
        }
        CO_TRY(std::vector<SseEvent> events, reader_.feed(piece));
        std::ranges::move(events, std::back_inserter(ready_));
    }
    std::optional<SseEvent> event = std::move(ready_.front());
    ready_.pop_front();
    co_return event;
}

}  // namespace nexa::net
