// SPDX-License-Identifier: Apache-2.0
#include "api/event_feed.h"

#include <chrono>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/feeds.h"
#include "core/json.h"
#include "protocol/job_status.h"
#include "protocol/job_views.h"

namespace nexa::api {

namespace {

constexpr int kEventsPerRead = 200;
/// It looks again this often even if nobody told it to: another coordinator may have written.
constexpr std::chrono::seconds kLookAgain{5};

net::SseEvent line_of(const JobId& job_id, const orchestration::JobEvent& event) {
    const protocol::JobEventView view{
        .job_id = job_id.text(),
        .sequence = event.sequence,
        .at = to_rfc3339(event.at),
        .type = event.type,
        .data = event.data,
    };
    return {.id = std::to_string(event.sequence), .event = event.type, .data = to_json(view)};
}

net::SseEvent end_of(const protocol::JobView& view, std::int64_t after) {
    // Both texts are ours and need no escaping.
    return {
        .id = std::to_string(after),
        .event = "end",
        .data = fmt::format(R"({{"job_id":"{}","status":"{}"}})", view.job_id, view.status),
    };
}

net::Task<void> send_events(
    orchestration::JobService& jobs,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    std::int64_t after
) {
    net::Signal::Subscription news = jobs.event_signal().subscribe(job_id.text());
    while (!stream->closed()) {
        // The state first, then the events: those read after its end are all.
        CO_TRY(const protocol::JobView view, co_await jobs.get(job_id, principal));
        CO_TRY(const auto events, co_await jobs.events(job_id, after, kEventsPerRead));
        for (const orchestration::JobEvent& event : events) {
            after = event.sequence;
            CO_TRY_STATUS(co_await stream->send(line_of(job_id, event)));
        }
        if (!events.empty()) {
            continue;
        }
        const auto status = protocol::job_status_from(view.status);
        if (status && protocol::is_final(*status)) {
            co_return co_await stream->send(end_of(view, after));
        }
        CO_TRY_STATUS(co_await news.wait(kLookAgain));
    }
    co_return ok();
}

}  // namespace

Result<std::int64_t> parse_event_number(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (const auto number = place_in(text)) {
        return *number;
    }
    return Error::invalid_argument("'{}' is no event's id", text)
        .at("Last-Event-ID")
        .hint("send the id of the last event, as '17'; without it they come from the first on");
}

net::Task<void> feed_events(
    orchestration::JobService& jobs,
    std::shared_ptr<net::SseStream> stream,
    JobId job_id,
    accounts::Principal principal,
    std::int64_t after
) {
    const Status sent =
        co_await send_events(jobs, stream, std::move(job_id), std::move(principal), after);
    end_stream(*stream, sent);
    co_return ok();
}

}  // namespace nexa::api
