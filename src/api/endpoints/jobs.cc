// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/jobs.h"

#include <charconv>
#include <iterator>

#include "api/authenticator.h"
#include "api/budget_refusal.h"
#include "api/log_feed.h"
#include "api/query.h"
#include "api/rows.h"
#include "core/json.h"
#include "protocol/job_types.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{.tag = "jobs", .read_scope = "jobs:read", .write_scope = "jobs:write"};
using protocol::JobStatus;

constexpr std::size_t kSubmissionBytesMax = std::size_t{1} << 20;
constexpr std::int64_t kLogBytesMax = std::int64_t{1} << 20;
constexpr int kEventsPerRead = 200;
/// A stream looks again this often even if nobody told it to: another coordinator may have written.
constexpr std::chrono::seconds kEventPoll{5};

Result<JobId> job_id_in(const std::string& text) {
    auto job_id = JobId::parse(text);
    if (!job_id) {
        return Error::not_found("there is no job {}", text).at("job_id");
    }
    return job_id;
}

/// "/api/jobs/train" and "/train" end in the job type.
std::string job_type_of(const net::Request& request) {
    if (!request.parameters.empty()) {
        return request.parameter("job_type");
    }
    const std::string& path = request.head->path;
    return path.substr(path.rfind('/') + 1);
}

Result<orchestration::JobFilter> filter_of(const net::Call& call) {
    const net::Query& query = call.head->query;
    orchestration::JobFilter filter{
        .tenant_id = principal_of(call.principal).project_id,
        .job_type = text_parameter(query, "job_type"),
        .after = text_parameter(query, "after"),
    };
    TRY(filter.limit, limit_parameter(query));
    if (const auto status = text_parameter(query, "status")) {
        filter.status = protocol::job_status_from(*status);
        if (!filter.status) {
            return Error::invalid_argument("there is no status '{}'", *status)
                .at("status")
                .hint("pending, assigned, running, completed, failed or cancelled");
        }
    }
    if (filter.job_type) {
        TRY_STATUS(protocol::find_job_type(*filter.job_type));
    }
    return filter;
}

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

/// Where a client that comes again goes on: after the last event it saw.
std::int64_t last_event_of(const net::RequestHead& head) {
    const std::string_view text = head.headers.get("Last-Event-ID");
    std::int64_t sequence = 0;
    std::from_chars(text.data(), text.data() + text.size(), sequence);
    return sequence;
}

protocol::JobStatusView nine_fields(const protocol::JobView& view) {
    return {
        .job_id = view.job_id,
        .job_type = view.job_type,
        .status = view.status,
        .created_at = view.created_at,
        .updated_at = view.updated_at,
        .result = view.result,
        .logs_uri = view.logs_uri,
        .artifacts_uri = view.artifacts_uri,
        .error = view.error ? std::optional(view.error->message) : std::nullopt,
    };
}

const std::vector<net::ParameterInfo> kListParameters{
    {.name = "status", .description = "Only jobs in this status"},
    {.name = "job_type", .description = "Only jobs of this type"},
    {.name = "limit", .description = "Jobs per page, 1 to 100", .schema = R"({"type":"integer"})"},
    {.name = "after", .description = "next_cursor of the page before"},
};

}  // namespace

std::vector<net::Route> JobEndpoints::routes() {
    std::vector<net::Route> rows = submit_routes();
    std::ranges::move(read_routes(), std::back_inserter(rows));
    return rows;
}

std::vector<net::Route> JobEndpoints::submit_routes() {
    std::vector<net::Route> rows;
    const auto add = [&](std::string path, const protocol::JobTypeRow& type, bool documented) {
        net::BodyType body{.name = std::string(type.name) + "_spec", .schema = type.schema};
        body.name.front() = static_cast<char>(std::toupper(body.name.front()));
        rows.push_back({
            .method = Method::kPost,
            .path = std::move(path),
            .operation_id = fmt::format("jobs_{}", type.name),
            .summary = std::string(type.summary),
            .tag = "jobs",
            .scope = "jobs:write",
            .body_bytes_max = kSubmissionBytesMax,
            .request = std::move(body),
            .response = net::body_type<protocol::JobSubmitted>(),
            .success_status = 202,
            .handler = bound(*this, &JobEndpoints::submit),
            .documented = documented,
        });
    };
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        add(fmt::format("/api/jobs/{}", type.name), type, !type.hidden);
        add(fmt::format("/api/jobs/{}/", type.name), type, false);
        if (!type.hidden) {
            add(fmt::format("/{}", type.name), type, false);
        }
    }
    // Anything else in that place is answered with the list of types.
    rows.push_back({
        .method = Method::kPost,
        .path = "/api/jobs/{job_type}",
        .scope = "jobs:write",
        .body_bytes_max = kSubmissionBytesMax,
        .handler = bound(*this, &JobEndpoints::submit),
        .documented = false,
    });
    return rows;
}

std::vector<net::Route> JobEndpoints::read_routes() {
    net::Route list_row =
        row(kNoun, {Method::kGet, "/api/jobs", "jobs_list", "List your jobs, newest first"});
    list_row.parameters = kListParameters;
    net::Route events_row =
        row(kNoun,
            {Method::kGet,
             "/api/jobs/{job_id}/events",
             "jobs_events",
             "Follow a job as server-sent events"});
    events_row.response = net::body_type<protocol::JobEventView>();
    events_row.response.content_type = "text/event-stream";
    events_row.handler = bound(*this, &JobEndpoints::events);
    net::Route logs_row = row(
        kNoun,
        {Method::kGet, "/api/jobs/{job_id}/logs", "jobs_logs", "Read the text a job's engine wrote"}
    );
    logs_row.response = {.name = "Log", .schema = {}, .content_type = "text/plain"};
    logs_row.parameters = {
        {.name = "offset",
         .description = "First byte; negative counts from the end",
         .schema = R"({"type":"integer"})"},
        {.name = "attempt",
         .description = "Which attempt; default: the newest",
         .schema = R"({"type":"integer"})"},
    };
    logs_row.handler = bound(*this, &JobEndpoints::logs);
    net::Route follow_row =
        row(kNoun,
            {Method::kGet,
             "/api/jobs/{job_id}/logs/stream",
             "jobs_follow_logs",
             "Follow the text a job's engine writes, line by line, as server-sent events"});
    follow_row.response = {.name = "LogLines", .schema = {}, .content_type = "text/event-stream"};
    follow_row.handler = bound(*this, &JobEndpoints::follow_logs);
    net::Route cancel_row =
        row(kNoun,
            {Method::kPost, "/api/jobs/{job_id}/cancel", "jobs_cancel", "Ask a job to stop"});
    cancel_row.body_bytes_max = kIgnoredBodyMax;
    return {
        net::typed(list_row, *this, &JobEndpoints::list),
        net::typed(alias(row(kNoun, {}), "/api/jobs/"), *this, &JobEndpoints::list),
        net::typed(
            row(kNoun, {Method::kGet, "/api/jobs/{job_id}", "jobs_get", "Read one job"}),
            *this,
            &JobEndpoints::get
        ),
        net::typed(cancel_row, *this, &JobEndpoints::cancel),
        std::move(events_row),
        std::move(logs_row),
        std::move(follow_row),
        net::typed(alias(row(kNoun, {}), "/status/{job_id}"), *this, &JobEndpoints::status),
    };
}

net::Task<net::Response> JobEndpoints::submit(net::Request request) {
    CO_TRY(auto idempotency_key, idempotency_key_of(*request.head));
    orchestration::JobSubmission submission{
        .job_type = job_type_of(request),
        .body = std::move(request.body),
        .principal = principal_of(request.principal),
        .idempotency_key = std::move(idempotency_key),
    };
    const auto stored = co_await with_.jobs.submit(std::move(submission));
    if (!stored) {
        co_return refusal_of(stored.error(), with_.clock.now());
    }
    const protocol::JobView& view = *stored;
    const protocol::JobSubmitted submitted{
        .job_id = view.job_id,
        .job_type = view.job_type,
        .status = view.status,
        .created_at = view.created_at,
    };
    net::Response response = net::Response::json(to_json(submitted), 202);
    response.headers.set("Location", fmt::format("/api/jobs/{}", view.job_id));
    co_return response;
}

net::Task<protocol::JobView> JobEndpoints::get(net::Call call) {
    CO_TRY(JobId job_id, job_id_in(call.parameter("job_id")));
    co_return co_await with_.jobs.get(std::move(job_id), principal_of(call.principal));
}

net::Task<protocol::JobList> JobEndpoints::list(net::Call call) {
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(orchestration::JobPage page, co_await with_.jobs.list(std::move(filter)));
    protocol::JobList list{.data = std::move(page.jobs), .has_more = page.has_more};
    if (list.has_more) {
        list.next_cursor = list.data.back().job_id;
    }
    co_return list;
}

net::Task<protocol::JobView> JobEndpoints::cancel(net::Call call) {
    CO_TRY(JobId job_id, job_id_in(call.parameter("job_id")));
    co_return co_await with_.jobs.cancel(std::move(job_id), principal_of(call.principal));
}

net::Task<protocol::JobStatusView> JobEndpoints::status(net::Call call) {
    CO_TRY(const protocol::JobView view, co_await get(std::move(call)));
    co_return nine_fields(view);
}

net::Task<net::Response> JobEndpoints::events(net::Request request) {
    CO_TRY(const JobId job_id, job_id_in(request.parameter("job_id")));
    CO_TRY_STATUS(co_await with_.jobs.get(job_id, principal_of(request.principal)));
    auto stream = std::make_shared<net::SseStream>();
    CO_TRY_STATUS(
        with_.streams.spawn("job events", feed(stream, job_id, last_event_of(*request.head)))
    );
    co_return net::sse_response(std::move(stream));
}

net::Task<void> JobEndpoints::feed(
    std::shared_ptr<net::SseStream> stream, JobId job_id, std::int64_t after
) {
    net::Signal::Subscription news = with_.jobs.event_signal().subscribe(job_id.text());
    bool ended = false;
    while (!ended && !stream->closed()) {
        const auto events = co_await with_.jobs.events(job_id, after, kEventsPerRead);
        if (!events) {
            stream->fail(events.error());
            co_return Status{};
        }
        for (const orchestration::JobEvent& event : *events) {
            after = event.sequence;
            ended = ended || orchestration::ends_the_job(event);
            const Status taken = co_await stream->send(line_of(job_id, event));
            if (!taken) {
                co_return Status{};  // the client has gone
            }
        }
        if (events->empty()) {
            CO_TRY_STATUS(co_await news.wait(kEventPoll));
        }
    }
    stream->finish();
    co_return Status{};
}

net::Task<net::Response> JobEndpoints::logs(net::Request request) {
    CO_TRY(const JobId job_id, job_id_in(request.parameter("job_id")));
    CO_TRY(
        const protocol::JobView view,
        co_await with_.jobs.get(job_id, principal_of(request.principal))
    );
    const net::Query& query = request.head->query;
    CO_TRY(
        const auto offset,
        integer_parameter(query, "offset", {.least = -kLogBytesMax, .greatest = INT64_MAX})
    );
    CO_TRY(
        const auto attempt,
        integer_parameter(
            query, "attempt", {.least = 1, .greatest = INT32_MAX, .fallback = view.attempt}
        )
    );
    auto read = [&logs = with_.logs, job_id, attempt, offset] {
        return logs.read({.job_id = job_id, .fence = attempt}, offset, kLogBytesMax);
    };
    CO_TRY(orchestration::LogChunk chunk, co_await net::run_on(with_.pool, std::move(read)));
    net::Response response =
        net::Response::text(std::move(chunk.text), "text/plain; charset=utf-8");
    response.headers.set("X-Log-Offset", std::to_string(chunk.offset));
    response.headers.set("X-Log-Bytes", std::to_string(chunk.bytes_total));
    co_return response;
}

net::Task<net::Response> JobEndpoints::follow_logs(net::Request request) {
    CO_TRY(const JobId job_id, job_id_in(request.parameter("job_id")));
    accounts::Principal principal = principal_of(request.principal);
    CO_TRY_STATUS(co_await with_.jobs.get(job_id, principal));
    LogPlace place;
    if (const std::string* last = request.head->headers.find("Last-Event-ID")) {
        CO_TRY(place, parse_log_place(*last));
    }
    auto stream = std::make_shared<net::SseStream>();
    auto feed =
        feed_log({with_.jobs, with_.logs, with_.pool}, stream, job_id, std::move(principal), place);
    CO_TRY_STATUS(with_.streams.spawn("job log", std::move(feed)));
    co_return net::sse_response(std::move(stream));
}

}  // namespace nexa::api
