// SPDX-License-Identifier: Apache-2.0
#include "api/log_feed.h"

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/feeds.h"
#include "protocol/job_status.h"

namespace nexa::api {

namespace {

constexpr std::int64_t kReadBytes = 64 * 1024;  // also the longest line that goes out whole
/// It looks again this often even if nobody told it to: another coordinator may have written.
constexpr std::chrono::seconds kLookAgain{5};

/// Sends lines of one log after the other and knows how far it came.
class LineSender {
public:
    LineSender(net::SseStream& stream, LogPlace place) : stream_(stream), place_(place) {}

    const LogPlace& place() const { return place_; }

    /// The whole lines of `text`, which was read at place(); the rest too if `is_last`.
    net::Task<void> send_lines(std::string_view text, bool is_last) {
        while (!text.empty()) {
            const auto end = text.find('\n');
            if (end == std::string_view::npos && !is_last && text.size() < kReadBytes) {
                break;
            }
            const std::string_view line = text.substr(0, end);
            const std::size_t taken = line.size() + (end == std::string_view::npos ? 0 : 1);
            place_.offset += static_cast<std::int64_t>(taken);
            CO_TRY_STATUS(co_await send("line", std::string(line)));
            text.remove_prefix(taken);
        }
        co_return ok();
    }

    net::Task<void> begin_attempt(int attempt) {
        place_ = {.attempt = attempt};
        return send("attempt", std::to_string(attempt));
    }

    net::Task<void> end(std::string status) { return send("end", std::move(status)); }

private:
    net::Task<void> send(std::string event, std::string data) {
        co_return co_await stream_.send({
            .id = fmt::format("{}:{}", place_.attempt, place_.offset),
            .event = std::move(event),
            .data = std::move(data),
        });
    }

    net::SseStream& stream_;
    LogPlace place_;
};

net::Task<void> send_log(
    LogFeedCollaborators with,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    LogPlace place
) {
    net::Signal::Subscription news = with.jobs.event_signal().subscribe(job_id.text());
    LineSender sender(*stream, place);
    while (!stream->closed()) {
        // The state first, then the text: what is read after the end of an attempt is all of it.
        CO_TRY(const protocol::JobView view, co_await with.jobs.get(job_id, principal));
        const auto status = protocol::job_status_from(view.status);
        const bool ended = status && protocol::is_final(*status);
        const bool is_whole = ended || view.attempt > sender.place().attempt;
        auto read = [&logs = with.logs, job_id, at = sender.place()] {
            return logs.read({.job_id = job_id, .fence = at.attempt}, at.offset, kReadBytes);
        };
        CO_TRY(const orchestration::LogChunk chunk, co_await net::run_on(with.pool, read));
        const std::int64_t before = sender.place().offset;
        const bool reaches_end =
            chunk.offset + static_cast<std::int64_t>(chunk.text.size()) >= chunk.bytes_total;
        CO_TRY_STATUS(co_await sender.send_lines(chunk.text, is_whole && reaches_end));
        if (sender.place().offset > before) {
            continue;
        }
        if (view.attempt > sender.place().attempt) {
            CO_TRY_STATUS(co_await sender.begin_attempt(sender.place().attempt + 1));
        } else if (ended) {
            co_return co_await sender.end(view.status);
        } else {
            CO_TRY_STATUS(co_await news.wait(kLookAgain));
        }
    }
    co_return ok();
}

}  // namespace

Result<LogPlace> parse_log_place(std::string_view text) {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto attempt = place_in(text.substr(0, colon));
        const auto offset = place_in(text.substr(colon + 1));
        if (attempt && offset && *attempt >= 1 && *attempt <= INT32_MAX) {
            return LogPlace{.attempt = static_cast<int>(*attempt), .offset = *offset};
        }
    }
    return Error::invalid_argument("'{}' is no place in a log", text)
        .at("Last-Event-ID")
        .hint("send the id of the last event, as '1:4711'; without it the log comes whole");
}

net::Task<void> feed_log(
    LogFeedCollaborators with,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    LogPlace place
) {
    const Status sent =
        co_await send_log(with, stream, std::move(job_id), std::move(principal), place);
    end_stream(*stream, sent);
    co_return ok();
}

}  // namespace nexa::api
