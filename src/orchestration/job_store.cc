// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_store.h"

#include <algorithm>

#include "core/json.h"
#include "orchestration/deployment_store.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

using protocol::JobStatus;

std::optional<JsonText> json_or_none(const db::Row& row, std::string_view column) {
    auto text = row.optional_text(column);
    return text ? std::optional(JsonText{*std::move(text)}) : std::nullopt;
}

std::optional<std::string> text_of(const std::optional<JsonText>& json) {
    return json ? std::optional(json->text) : std::nullopt;
}

Result<Job> job_from(const db::Row& row) {
    TRY(JobId job_id, JobId::parse(row.text("id")));
    Job job{
        .job_id = std::move(job_id),
        .tenant_id = row.text("tenant_id"),
        .user_id = row.text("user_id"),
        .key_id = row.text("key_id"),
        .job_type = row.text("job_type"),
        .pool = row.text("pool"),
        .state = row.text("state"),
        .priority = static_cast<int>(row.int64("priority")),
        .gpus = static_cast<int>(row.int64("gpus")),
        .memory_bytes = row.int64("memory_bytes"),
        .attempt = static_cast<int>(row.int64("attempt")),
        .failures = static_cast<int>(row.int64("failures")),
        .max_failures = static_cast<int>(row.int64("max_failures")),
        .losses = static_cast<int>(row.int64("losses")),
        .fence = row.int64("fence"),
        .worker_id = row.optional_text("lease_worker"),
        .cancel_requested = row.int64("cancel_requested") != 0,
        .payload = {row.text("payload")},
        .inputs = {row.text("inputs")},
        .name = row.optional_text("name"),
        .retry_of = row.optional_text("retry_of"),
        .result = json_or_none(row, "result"),
        .error = json_or_none(row, "error"),
        .progress = json_or_none(row, "progress"),
        .log_bytes = row.int64("log_bytes"),
        .run_at = row.timestamp("run_at"),
        .created_at = row.timestamp("created_at"),
        .updated_at = row.timestamp("updated_at"),
        .started_at = row.optional_timestamp("started_at"),
        .finished_at = row.optional_timestamp("finished_at"),
    };
    job.status = public_status(job.state, job.started_at.has_value());
    return job;
}

/// The queue's states behind a public status, as a JSON array for the statement.
std::string_view states_of(JobStatus status) {
    switch (status) {
        case JobStatus::kPending:
            return R"(["blocked","scheduled","ready"])";
        case JobStatus::kAssigned:
            return R"(["leased"])";
        case JobStatus::kRunning:
            return R"(["leased","activating"])";
        case JobStatus::kCompleted:
            return R"(["done"])";
        case JobStatus::kFailed:
            return R"(["dead"])";
        case JobStatus::kCancelled:
            return R"(["cancelled"])";
    }
    return "[]";
}

/// assigned and running differ only in whether the engine has spoken.
std::optional<bool> started_of(JobStatus status) {
    if (status == JobStatus::kAssigned || status == JobStatus::kRunning) {
        return status == JobStatus::kRunning;
    }
    return std::nullopt;
}

/// The job that this request made before, if its key was used.
Result<std::optional<Submitted>> find_earlier(db::Tx& tx, const NewJob& job) {
    if (!job.idempotency_key) {
        return std::nullopt;
    }
    const std::initializer_list<db::Param> key{
        {"tenant_id", job.tenant_id},
        {"key", *job.idempotency_key},
    };
    TRY_STATUS(tx.query(sql::kLockIdempotency, key));
    TRY(const auto row, tx.query_one(sql::kFindIdempotency, key));
    if (!row) {
        return std::nullopt;
    }
    if (row->text("request_sha256") != job.request_sha256) {
        return Error::invalid_argument(
                   "idempotency key '{}' was used before with another request (job {})",
                   *job.idempotency_key,
                   row->text("job_id")
        )
            .at("Idempotency-Key")
            .hint("make a new key for a new request");
    }
    TRY(JobId job_id, JobId::parse(row->text("job_id")));
    return Submitted{.job_id = std::move(job_id), .created = false};
}

Status insert(db::Tx& tx, const NewJob& job) {
    TRY_STATUS(tx.execute(sql::kEnsureTenant, {{"tenant_id", job.tenant_id}}));
    TRY_STATUS(tx.execute(
        sql::kSubmitJob,
        {
            {"job_id", job.job_id},
            {"tenant_id", job.tenant_id},
            {"job_type", job.job_type},
            {"pool", job.pool},
            {"priority", job.priority},
            {"gpus", job.gpus},
            {"memory_bytes", job.memory_bytes},
            {"max_failures", job.max_failures},
        }
    ));
    TRY_STATUS(tx.execute(
        sql::kSubmitDetail,
        {
            {"job_id", job.job_id},
            {"user_id", job.user_id},
            {"key_id", job.key_id},
            {"payload", job.payload.text},
            {"inputs", to_json(job.inputs)},
            {"name", job.name},
            {"retry_of", job.retry_of},
            {"trace_id", job.trace_id},
        }
    ));
    for (const protocol::JobInput& input : job.inputs) {
        TRY_STATUS(tx.execute(
            sql::kAddJobInput,
            {{"artifact_id", input.artifact_id}, {"job_id", job.job_id}, {"name", input.name}}
        ));
    }
    if (job.idempotency_key) {
        TRY_STATUS(tx.execute(
            sql::kPutIdempotency,
            {
                {"tenant_id", job.tenant_id},
                {"key", *job.idempotency_key},
                {"request_sha256", job.request_sha256},
                {"job_id", job.job_id},
            }
        ));
    }
    return {};
}

}  // namespace

JobStatus public_status(std::string_view state, bool started) {
    if (state == "leased") {
        return started ? JobStatus::kRunning : JobStatus::kAssigned;
    }
    if (state == "activating") {
        return JobStatus::kRunning;
    }
    if (state == "done") {
        return JobStatus::kCompleted;
    }
    if (state == "dead") {
        return JobStatus::kFailed;
    }
    return state == "cancelled" ? JobStatus::kCancelled : JobStatus::kPending;
}

bool ends_the_job(const JobEvent& event) {
    if (event.type != "status") {
        return false;
    }
    // As append_status() writes it.
    return std::ranges::any_of(protocol::kJobStatusNames, [&](std::string_view name) {
        const auto status = protocol::job_status_from(name);
        return protocol::is_final(*status) &&
               event.data.text.starts_with(fmt::format(R"({{"status":"{}")", name));
    });
}

namespace job_store {

Result<Submitted> submit(db::Tx& tx, const NewJob& job) {
    TRY(auto earlier, find_earlier(tx, job));
    if (earlier) {
        return *std::move(earlier);
    }
    TRY_STATUS(insert(tx, job));
    TRY_STATUS(append_status(tx, job.job_id, JobStatus::kPending, "submitted"));
    return Submitted{.job_id = job.job_id};
}

Result<Job> get(db::Tx& tx, const JobId& job_id, const std::optional<std::string>& tenant_id) {
    TRY(const auto row, tx.query_one(sql::kGetJob, {{"job_id", job_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return Error::not_found("there is no job {}", job_id.text()).at("job_id");
    }
    return job_from(*row);
}

Result<std::vector<Job>> list(db::Tx& tx, const JobFilter& filter) {
    std::optional<std::string> states;
    std::optional<bool> started;
    if (filter.status) {
        states = states_of(*filter.status);
        started = started_of(*filter.status);
    }
    TRY(const auto rows,
        tx.query(
            sql::kListJobs,
            {
                {"tenant_id", filter.tenant_id},
                {"after", filter.after},
                {"job_type", filter.job_type},
                {"states", states},
                {"started", started},
                {"limit", filter.limit + 1},
            }
        ));
    std::vector<Job> jobs;
    jobs.reserve(rows.size());
    for (const db::Row& row : rows) {
        TRY(Job job, job_from(row));
        jobs.push_back(std::move(job));
    }
    return jobs;
}

Result<Job> cancel(db::Tx& tx, const JobId& job_id, const std::string& tenant_id) {
    TRY(const Job before, get(tx, job_id, tenant_id));
    TRY(const auto row, tx.query_one(sql::kCancel, {{"job_id", job_id}, {"tenant_id", tenant_id}}));
    if (row && row->text("state") == "cancelled") {
        TRY_STATUS(set_outcome(tx, job_id, {.finished = true}));
        TRY_STATUS(deployment_store::withdraw(tx, job_id, "stopped", "its job was cancelled"));
        TRY_STATUS(append_status(
            tx,
            job_id,
            JobStatus::kCancelled,
            before.state == "activating" ? "cancelled before a gateway served it"
                                         : "cancelled before it ran"
        ));
    }
    if (row && row->text("state") == "leased" && !before.cancel_requested) {
        TRY_STATUS(append_status(tx, job_id, before.status, "cancel requested"));
    }
    return get(tx, job_id, tenant_id);
}

Status set_outcome(db::Tx& tx, const JobId& job_id, const JobOutcome& outcome) {
    TRY_STATUS(tx.execute(
        sql::kSetResult,
        {
            {"job_id", job_id},
            {"result", text_of(outcome.result)},
            {"error", text_of(outcome.error)},
            {"finished", outcome.finished},
        }
    ));
    if (outcome.finished) {
        TRY_STATUS(tx.execute(sql::kNoteJobEnd, {{"job_id", job_id}}));
    }
    return {};
}

Status set_progress(db::Tx& tx, const JobId& job_id, const JsonText& progress) {
    TRY_STATUS(tx.execute(sql::kSetProgress, {{"job_id", job_id}, {"progress", progress.text}}));
    return {};
}

Result<std::int64_t> append_event(
    db::Tx& tx, const JobId& job_id, std::string_view type, const JsonText& data
) {
    TRY(const auto row,
        tx.query_one(sql::kAppendEvent, {{"job_id", job_id}, {"type", type}, {"data", data.text}}));
    NEXA_CHECK(row.has_value());  // an INSERT from an aggregate makes exactly one row
    return row->int64("sequence");
}

Status append_status(db::Tx& tx, const JobId& job_id, JobStatus status, std::string_view reason) {
    // Both texts are ours and need no escaping.
    const JsonText data{
        fmt::format(R"({{"status":"{}","reason":"{}"}})", protocol::to_string(status), reason)
    };
    TRY_STATUS(append_event(tx, job_id, "status", data));
    return {};
}

namespace {

Result<std::vector<JobEvent>> events_of(
    db::Tx& tx, const db::Sql& statement, const db::Params& which
) {
    TRY(const auto rows, tx.query(statement, which));
    std::vector<JobEvent> events;
    events.reserve(rows.size());
    for (const db::Row& row : rows) {
        events.push_back({
            .sequence = row.int64("sequence"),
            .at = row.timestamp("at"),
            .type = row.text("type"),
            .data = {row.text("data")},
        });
    }
    return events;
}

}  // namespace

Result<std::vector<JobEvent>> read_events(
    db::Tx& tx, const JobId& job_id, std::int64_t after, int limit
) {
    return events_of(
        tx, sql::kReadEvents, {{"job_id", job_id}, {"after", after}, {"limit", limit}}
    );
}

Result<std::vector<JobEvent>> read_metric_events(
    db::Tx& tx, const JobId& job_id, std::int64_t after, int limit
) {
    return events_of(
        tx, sql::kReadMetricEvents, {{"job_id", job_id}, {"after", after}, {"limit", limit}}
    );
}

}  // namespace job_store

}  // namespace nexa::orchestration
