// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/jobs.h"

#include <iterator>

#include "api/authenticator.h"
#include "api/budget_refusal.h"
#include "api/event_feed.h"
#include "api/log_feed.h"
#include "api/query.h"
#include "api/rows.h"
#include "core/json.h"
#include "net/file_response.h"
#include "protocol/job_estimate.h"
#include "protocol/job_types.h"
#include "protocol/submission.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{.tag = "jobs", .read_scope = "jobs:read", .write_scope = "jobs:write"};
using protocol::JobStatus;

constexpr std::size_t kSubmissionBytesMax = std::size_t{1} << 20;
constexpr std::int64_t kLogBytesMax = std::int64_t{1} << 20;
constexpr std::int64_t kLogLinesMax = 100'000;
constexpr std::size_t kSearchTextMax = 256;

Result<JobId> job_id_in(const std::string& text) {
    auto job_id = JobId::parse(text);
    if (!job_id) {
        return Error::not_found("there is no job {}", text).at("job_id");
    }
    return job_id;
}

/// "/api/jobs/train", "/api/jobs/train/" and "/train" end in the job type.
std::string job_type_of(const net::Request& request) {
    if (!request.parameters.empty()) {
        return request.parameter("job_type");
    }
    std::string_view path = request.head->path;
    path.remove_suffix(path.ends_with('/') ? 1 : 0);
    return std::string(path.substr(path.rfind('/') + 1));
}

/// A submission can ask for its estimate alone: ?dry_run=true, or "dry_run" beside its payload.
/// What cannot be read is no dry run: then submitting it says what is wrong.
Result<bool> is_dry_run(const net::Request& request) {
    if (const auto wish = text_parameter(request.head->query, "dry_run")) {
        if (*wish != "true" && *wish != "false") {
            return Error::invalid_argument("expected true or false, not '{}'", *wish).at("dry_run");
        }
        if (*wish == "true") {
            return true;
        }
    }
    const auto submission = protocol::read_submission(request.body);
    return submission && submission->options.dry_run.value_or(false);
}

net::Response submitted_response(const protocol::JobView& view) {
    const protocol::JobSubmitted submitted{
        .job_id = view.job_id,
        .job_type = view.job_type,
        .status = view.status,
        .created_at = view.created_at,
    };
    net::Response response = net::Response::json(to_json(submitted), 202);
    response.headers.set("Location", fmt::format("/api/jobs/{}", view.job_id));
    return response;
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

const std::vector<net::ParameterInfo> kSubmitParameters{
    {.name = "dry_run",
     .description = "True: answer 200 with the job's estimate, and make no job",
     .schema = R"({"type":"boolean"})"},
};

const net::ParameterInfo kAttemptParameter{
    .name = "attempt",
    .description = "Which attempt; default: the newest",
    .schema = R"({"type":"integer"})",
};

const std::vector<net::ParameterInfo> kListParameters{
    {.name = "status", .description = "Only jobs in this status"},
    {.name = "job_type", .description = "Only jobs of this type"},
    {.name = "limit", .description = "Jobs per page, 1 to 100", .schema = R"({"type":"integer"})"},
    {.name = "after", .description = "next_cursor of the page before"},
};

}  // namespace

std::vector<net::Route> JobEndpoints::routes() {
    std::vector<net::Route> rows = submit_routes();
    std::ranges::move(repeat_routes(), std::back_inserter(rows));
    std::ranges::move(read_routes(), std::back_inserter(rows));
    std::ranges::move(log_routes(), std::back_inserter(rows));
    std::ranges::move(stream_routes(), std::back_inserter(rows));
    return rows;
}

std::vector<net::Route> JobEndpoints::submit_routes() {
    std::vector<net::Route> rows;
    const auto add = [&](const protocol::JobTypeRow& type) {
        net::BodyType body{.name = std::string(type.name) + "_spec", .schema = type.schema};
        body.name.front() = static_cast<char>(std::toupper(body.name.front()));
        net::Route route{
            .method = Method::kPost,
            .path = fmt::format("/api/jobs/{}", type.name),
            .operation_id = fmt::format("jobs_{}", type.name),
            .summary = std::string(type.summary),
            .tag = "jobs",
            .scope = "jobs:write",
            .body_bytes_max = kSubmissionBytesMax,
            .request = std::move(body),
            .response = net::body_type<protocol::JobSubmitted>(),
            .parameters = kSubmitParameters,
            .success_status = 202,
            .handler = bound(*this, &JobEndpoints::submit),
            .documented = !type.hidden,
        };
        rows.push_back(alias(route, route.path + "/"));
        if (!type.hidden) {
            rows.push_back(alias(route, fmt::format("/{}", type.name)));
        }
        rows.push_back(std::move(route));
    };
    for (const protocol::JobTypeRow& type : protocol::job_types()) {
        add(type);
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

std::vector<net::Route> JobEndpoints::repeat_routes() {
    net::Route estimate_row =
        row(kNoun,
            {Method::kPost,
             "/api/jobs/{job_type}/estimate",
             "jobs_estimate",
             "Say what a job would be, take and cost, and what it would wait for; makes none"});
    estimate_row.scope = kNoun.read_scope;
    estimate_row.body_bytes_max = kSubmissionBytesMax;
    estimate_row.request = net::body_type<protocol::SubmissionOptions>();
    estimate_row.response = net::body_type<protocol::JobEstimate>();
    estimate_row.handler = bound(*this, &JobEndpoints::estimate);
    net::Route retry_row =
        row(kNoun,
            {Method::kPost,
             "/api/jobs/{job_id}/retry",
             "jobs_retry",
             "Make a failed or cancelled job again, as a new job"});
    retry_row.body_bytes_max = kIgnoredBodyMax;
    retry_row.response = net::body_type<protocol::JobSubmitted>();
    retry_row.success_status = 202;
    retry_row.handler = bound(*this, &JobEndpoints::retry);
    net::Route clone_row =
        row(kNoun,
            {Method::kPost,
             "/api/jobs/{job_id}/clone",
             "jobs_clone",
             "Make a job like this one, with changes to its spec"});
    clone_row.body_bytes_max = kSubmissionBytesMax;
    clone_row.request = net::body_type<protocol::SubmissionOptions>();
    clone_row.response = net::body_type<protocol::JobSubmitted>();
    clone_row.success_status = 202;
    clone_row.handler = bound(*this, &JobEndpoints::clone);
    return {std::move(estimate_row), std::move(retry_row), std::move(clone_row)};
}

std::vector<net::Route> JobEndpoints::read_routes() {
    net::Route list_row =
        row(kNoun, {Method::kGet, "/api/jobs", "jobs_list", "List your jobs, newest first"});
    list_row.parameters = kListParameters;
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
        net::typed(alias(row(kNoun, {}), "/status/{job_id}"), *this, &JobEndpoints::status),
    };
}

std::vector<net::Route> JobEndpoints::log_routes() {
    net::Route logs_row = row(
        kNoun,
        {Method::kGet, "/api/jobs/{job_id}/logs", "jobs_logs", "Read the text a job's engine wrote"}
    );
    logs_row.response = {.name = "Log", .schema = {}, .content_type = "text/plain"};
    logs_row.parameters = {
        {.name = "offset",
         .description = "First byte; negative counts from the end. At most a megabyte comes",
         .schema = R"({"type":"integer"})"},
        {.name = "tail",
         .description = "Only the last lines, so many; with neither `offset` nor a Range",
         .schema = R"({"type":"integer"})"},
        kAttemptParameter,
        {.name = "Range", .description = "bytes=0-99, to get 206 and these alone", .in_header = true
        },
    };
    logs_row.handler = bound(*this, &JobEndpoints::logs);
    net::Route search_row =
        row(kNoun,
            {Method::kGet,
             "/api/jobs/{job_id}/logs/search",
             "jobs_search_logs",
             "Find the lines of a job's log that hold a text"});
    search_row.parameters = {
        {.name = "text", .description = "What to look for, in either case", .required = true},
        {.name = "offset",
         .description = "First byte to look at: next_offset of the search before",
         .schema = R"({"type":"integer"})"},
        {.name = "limit",
         .description = "Lines, 1 to 1000; default 100",
         .schema = R"({"type":"integer"})"},
        kAttemptParameter,
    };
    net::Route metrics_row =
        row(kNoun,
            {Method::kGet,
             "/api/jobs/{job_id}/metrics",
             "jobs_metrics",
             "Read the numbers a job's engine told, as series"});
    metrics_row.parameters = {
        {.name = "points",
         .description = "Points of a series, 3 to 10000; default 500",
         .schema = R"({"type":"integer"})"},
    };
    return {
        std::move(logs_row),
        net::typed(search_row, *this, &JobEndpoints::search_logs),
        net::typed(metrics_row, *this, &JobEndpoints::metrics),
    };
}

std::vector<net::Route> JobEndpoints::stream_routes() {
    std::vector<net::Route> rows = event_stream_rows(
        row(kNoun,
            {Method::kGet,
             "/api/jobs/{job_id}/events",
             "jobs_events",
             "Follow a job, event by event"}),
        net::body_type<protocol::JobEventView>(),
        bound(*this, &JobEndpoints::events)
    );
    std::ranges::move(
        event_stream_rows(
            row(kNoun,
                {Method::kGet,
                 "/api/jobs/{job_id}/logs/stream",
                 "jobs_follow_logs",
                 "Follow the text a job's engine writes, line by line"}),
            {.name = "LogLines", .schema = {}},
            bound(*this, &JobEndpoints::follow_logs)
        ),
        std::back_inserter(rows)
    );
    // The name under which people look for it.
    net::Route short_row = alias(rows.back(), "/api/jobs/{job_id}/logs/ws");
    rows.push_back(std::move(short_row));
    return rows;
}

net::Task<net::Response> JobEndpoints::submit(net::Request request) {
    CO_TRY(const bool dry_run, is_dry_run(request));
    if (dry_run) {
        co_return co_await estimate(std::move(request));
    }
    CO_TRY(auto idempotency_key, idempotency_key_of(*request.head));
    orchestration::JobSubmission submission{
        .job_type = job_type_of(request),
        .body = std::move(request.body),
        .principal = principal_of(request.principal),
        .idempotency_key = std::move(idempotency_key),
    };
    co_return answer_to(co_await with_.jobs.submit(std::move(submission)));
}

net::Response JobEndpoints::answer_to(const Result<protocol::JobView>& stored) const {
    return stored ? submitted_response(*stored) : refusal_of(stored.error(), with_.clock.now());
}

net::Task<net::Response> JobEndpoints::estimate(net::Request request) {
    orchestration::JobSubmission submission{
        .job_type = job_type_of(request),
        .body = std::move(request.body),
        .principal = principal_of(request.principal),
    };
    const auto estimate = co_await with_.jobs.estimate(std::move(submission));
    co_return estimate ? net::Response::json(to_json(*estimate))
                       : refusal_of(estimate.error(), with_.clock.now());
}

namespace {

Result<orchestration::JobRepetition> repetition_of(net::Request request) {
    TRY(JobId job_id, job_id_in(request.parameter("job_id")));
    TRY(auto idempotency_key, idempotency_key_of(*request.head));
    return orchestration::JobRepetition{
        .job_id = std::move(job_id),
        .changes = std::move(request.body),
        .principal = principal_of(request.principal),
        .idempotency_key = std::move(idempotency_key),
    };
}

}  // namespace

net::Task<net::Response> JobEndpoints::retry(net::Request request) {
    CO_TRY(auto repetition, repetition_of(std::move(request)));
    co_return answer_to(co_await with_.jobs.retry(std::move(repetition)));
}

net::Task<net::Response> JobEndpoints::clone(net::Request request) {
    CO_TRY(auto repetition, repetition_of(std::move(request)));
    co_return answer_to(co_await with_.jobs.clone(std::move(repetition)));
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
    CO_TRY(const std::int64_t after, parse_event_number(last_event_id(*request.head)));
    auto stream = std::make_shared<net::SseStream>();
    auto run = feed_events(with_.jobs, stream, job_id, principal_of(request.principal), after);
    co_return with_.streams.answer(
        request,
        {.name = "job events",
         .scopes = {std::string(kNoun.read_scope)},
         .stream = std::move(stream),
         .run = std::move(run),
         .data_is_json = true}
    );
}

net::Task<orchestration::LogRef> JobEndpoints::log_of(net::Call call) {
    CO_TRY(JobId job_id, job_id_in(call.parameter("job_id")));
    CO_TRY(
        const protocol::JobView view, co_await with_.jobs.get(job_id, principal_of(call.principal))
    );
    CO_TRY(
        const auto attempt,
        integer_parameter(
            call.head->query,
            "attempt",
            {.least = 1, .greatest = INT32_MAX, .fallback = view.attempt}
        )
    );
    co_return orchestration::LogRef{.job_id = std::move(job_id), .fence = attempt};
}

net::Task<net::Response> JobEndpoints::logs(net::Request request) {
    const std::shared_ptr<const net::RequestHead> head = request.head;
    CO_TRY(
        const orchestration::LogRef log,
        co_await log_of({head, std::move(request.parameters), std::move(request.principal)})
    );
    CO_TRY(
        const auto offset,
        integer_parameter(head->query, "offset", {.least = -kLogBytesMax, .greatest = INT64_MAX})
    );
    CO_TRY(
        const auto tail,
        integer_parameter(
            head->query, "tail", {.least = 0, .greatest = kLogLinesMax, .fallback = -1}
        )
    );
    if (head->headers.find("Range") != nullptr) {
        net::FileOptions options{.content_type = "text/plain; charset=utf-8"};
        auto part = co_await net::file_response(
            with_.pool, with_.logs.path_of(log), std::move(options), head
        );
        // A log that is not there yet is an empty one.
        if (part || part.error().code != ErrorCode::kNotFound) {
            co_return part;
        }
    }
    auto read = [&logs = with_.logs, log, offset, tail] {
        return tail >= 0 ? logs.tail(log, tail, kLogBytesMax)
                         : logs.read(log, offset, kLogBytesMax);
    };
    CO_TRY(orchestration::LogChunk chunk, co_await net::run_on(with_.pool, std::move(read)));
    net::Response response =
        net::Response::text(std::move(chunk.text), "text/plain; charset=utf-8");
    response.headers.set("Accept-Ranges", "bytes");
    response.headers.set("X-Log-Offset", std::to_string(chunk.offset));
    response.headers.set("X-Log-Bytes", std::to_string(chunk.bytes_total));
    co_return response;
}

net::Task<protocol::LogSearchView> JobEndpoints::search_logs(net::Call call) {
    const net::Query& query = call.head->query;
    const std::string text = text_parameter(query, "text").value_or("");
    if (text.empty() || text.size() > kSearchTextMax) {
        co_return Error::invalid_argument("has to be 1 to {} bytes", kSearchTextMax).at("text");
    }
    CO_TRY(
        const auto offset,
        integer_parameter(query, "offset", {.least = 0, .greatest = INT64_MAX / 2})
    );
    CO_TRY(
        const auto limit,
        integer_parameter(query, "limit", {.least = 1, .greatest = 1000, .fallback = 100})
    );
    CO_TRY(const orchestration::LogRef log, co_await log_of(std::move(call)));
    auto look = [&logs = with_.logs, log, text, offset, limit] {
        return logs.search(log, {.text = text, .offset = offset, .limit = static_cast<int>(limit)});
    };
    CO_TRY(orchestration::LogMatches found, co_await net::run_on(with_.pool, std::move(look)));
    protocol::LogSearchView view{
        .has_more = !found.is_all,
        .next_offset = found.next_offset,
        .bytes_total = found.bytes_total,
    };
    for (orchestration::LogMatch& match : found.matches) {
        view.data.push_back({.offset = match.offset, .text = std::move(match.text)});
    }
    co_return view;
}

net::Task<protocol::JobMetrics> JobEndpoints::metrics(net::Call call) {
    CO_TRY(JobId job_id, job_id_in(call.parameter("job_id")));
    CO_TRY(
        const auto points,
        integer_parameter(
            call.head->query, "points", {.least = 3, .greatest = 10'000, .fallback = 500}
        )
    );
    co_return co_await with_.jobs.metrics(
        std::move(job_id), static_cast<std::size_t>(points), principal_of(call.principal)
    );
}

net::Task<net::Response> JobEndpoints::follow_logs(net::Request request) {
    CO_TRY(const JobId job_id, job_id_in(request.parameter("job_id")));
    accounts::Principal principal = principal_of(request.principal);
    CO_TRY_STATUS(co_await with_.jobs.get(job_id, principal));
    LogPlace place;
    if (const std::string last = last_event_id(*request.head); !last.empty()) {
        CO_TRY(place, parse_log_place(last));
    }
    auto stream = std::make_shared<net::SseStream>();
    auto run =
        feed_log({with_.jobs, with_.logs, with_.pool}, stream, job_id, std::move(principal), place);
    co_return with_.streams.answer(
        request,
        {.name = "job log",
         .scopes = {std::string(kNoun.read_scope)},
         .stream = std::move(stream),
         .run = std::move(run)}
    );
}

}  // namespace nexa::api
