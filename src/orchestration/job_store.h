// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/job_status.h"
#include "protocol/lease_messages.h"

namespace nexa::orchestration {

/// A job as submitted, checked and ready to be stored.
struct NewJob {
    JobId job_id;
    std::string tenant_id;
    std::string user_id;
    std::string key_id;
    std::string job_type;
    JsonText payload;  ///< canonical
    std::vector<protocol::JobInput> inputs;
    std::string pool = "default";
    int priority = 0;  ///< lower runs first; a step is worth ten minutes of waiting
    int gpus = 0;
    std::int64_t memory_bytes = 0;
    int max_failures = 3;
    std::optional<std::string> name;
    std::optional<std::string> retry_of;
    std::optional<std::string> trace_id;
    std::optional<std::string> idempotency_key;
    std::string request_sha256;  ///< of what the idempotency key stands for
};

struct Submitted {
    JobId job_id;
    bool created = true;  ///< false: the same idempotency key was here before
};

/// A job with everything about it.
struct Job {
    JobId job_id;
    std::string tenant_id;
    std::string user_id;
    std::string key_id;
    std::string job_type;
    std::string pool;
    std::string state;
    protocol::JobStatus status = protocol::JobStatus::kPending;
    int priority = 0;
    int gpus = 0;  ///< accelerators it holds while it runs
    std::int64_t memory_bytes = 0;
    int attempt = 0;
    int failures = 0;
    int max_failures = 3;
    int losses = 0;
    std::int64_t fence = 0;
    std::optional<std::string> worker_id;
    bool cancel_requested = false;
    JsonText payload;
    JsonText inputs;
    std::optional<std::string> name;
    std::optional<std::string> retry_of;
    std::optional<JsonText> result;
    std::optional<JsonText> error;
    std::optional<JsonText> progress;
    std::int64_t log_bytes = 0;
    Timestamp run_at;  ///< not claimed before
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> started_at;
    std::optional<Timestamp> finished_at;
};

/// Which jobs a list shows.
struct JobFilter {
    std::string tenant_id;
    std::optional<std::string> job_type;
    std::optional<protocol::JobStatus> status;
    std::optional<std::string> after;  ///< the last id of the page before
    int limit = 20;
};

struct JobEvent {
    std::int64_t sequence = 0;
    Timestamp at;
    std::string type;
    JsonText data;
};

/// What is written when an attempt ends.
struct JobOutcome {
    std::optional<JsonText> result;
    std::optional<JsonText> error;
    bool finished = false;  ///< the job will not run again
};

/// Jobs as rows: submitting, reading, cancelling, their events. Every call is inside a transaction;
/// the writing ones in the writer's. State changes of a running job are Leases' alone.
namespace job_store {

/// Stores the job unless its idempotency key did so before. Errors: kInvalidArgument if that key
/// came with another request.
Result<Submitted> submit(db::Tx& tx, const NewJob& job);

/// Errors: kNotFound; also when the job is another tenant's. `tenant_id` empty: any tenant's.
Result<Job> get(db::Tx& tx, const JobId& job_id, const std::optional<std::string>& tenant_id);

/// Newest first, up to filter.limit + 1 rows, so that the caller sees whether there are more.
Result<std::vector<Job>> list(db::Tx& tx, const JobFilter& filter);

/// Asks a job to stop; one that nobody holds is cancelled at once, and what it deployed withdrawn.
/// Cancelling an ended job changes nothing. Errors: kNotFound.
Result<Job> cancel(db::Tx& tx, const JobId& job_id, const std::string& tenant_id);

Status set_outcome(db::Tx& tx, const JobId& job_id, const JobOutcome& outcome);
Status set_progress(db::Tx& tx, const JobId& job_id, const JsonText& progress);

/// Gives the event its number within the job.
Result<std::int64_t> append_event(
    db::Tx& tx, const JobId& job_id, std::string_view type, const JsonText& data
);
/// A change of status as an event, with the public name.
Status append_status(
    db::Tx& tx, const JobId& job_id, protocol::JobStatus status, std::string_view reason
);
/// Up to `limit` events behind number `after`.
Result<std::vector<JobEvent>> read_events(
    db::Tx& tx, const JobId& job_id, std::int64_t after, int limit
);

/// The same, of those that tell numbers.
Result<std::vector<JobEvent>> read_metric_events(
    db::Tx& tx, const JobId& job_id, std::int64_t after, int limit
);

}  // namespace job_store

/// True for the status event after which a job has no more news.
bool ends_the_job(const JobEvent& event);

/// The public status of a queue state.
protocol::JobStatus public_status(std::string_view state, bool started);

}  // namespace nexa::orchestration
