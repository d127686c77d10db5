// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/engine.h"
#include "protocol/worker_messages.h"

namespace nexa::protocol {

// What the control plane's users send and get. Times are RFC 3339 text in UTC.

struct JobSubmitted {
    static constexpr std::string_view kName = "JobSubmitted";
    std::string job_id;
    std::string job_type;
    std::string status;
    std::string created_at;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobSubmitted::job_id, "To ask for later")
                .required()
                .example("job_0199c0ffee"),
            field("job_type", &JobSubmitted::job_type, "As submitted").required(),
            field("status", &JobSubmitted::status, "pending").required(),
            field("created_at", &JobSubmitted::created_at, "When").required(),
        };
    }
};

struct JobView {
    static constexpr std::string_view kName = "JobView";
    std::string job_id;
    std::string job_type;
    std::string status;
    std::string created_at;
    std::string updated_at;
    std::optional<JsonText> result;
    std::string logs_uri;
    std::string artifacts_uri;
    std::optional<EngineError> error;
    std::string user_id;
    JsonText payload;
    std::optional<std::string> name;
    std::optional<std::string> worker_id;
    int attempt = 0;
    int priority = 0;
    bool cancel_requested = false;
    std::optional<std::string> started_at;
    std::optional<std::string> finished_at;
    std::optional<EngineEvent> progress;
    std::optional<std::string> retry_of;
    std::string cost_usd;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobView::job_id, "The job").required(),
            field("job_type", &JobView::job_type, "Its type").required(),
            field(
                "status",
                &JobView::status,
                "pending, assigned, running, completed, failed or cancelled"
            )
                .required(),
            field("created_at", &JobView::created_at, "When it was submitted").required(),
            field("updated_at", &JobView::updated_at, "When its state last changed").required(),
            field("result", &JobView::result, "The job type's result").null_when_empty(),
            field("logs_uri", &JobView::logs_uri, "Where its log is").required(),
            field("artifacts_uri", &JobView::artifacts_uri, "Where what it made is").required(),
            field("error", &JobView::error, "Why it failed").null_when_empty(),
            field("user_id", &JobView::user_id, "Who submitted it").required(),
            field("payload", &JobView::payload, "What was asked, with defaults").required(),
            field("name", &JobView::name, "For people").null_when_empty(),
            field("worker_id", &JobView::worker_id, "Who holds it").null_when_empty(),
            field("attempt", &JobView::attempt, "How often it was given to a worker").required(),
            field("priority", &JobView::priority, "Lower runs first").required(),
            field(
                "cancel_requested", &JobView::cancel_requested, "True once a cancel was asked for"
            )
                .required(),
            field("started_at", &JobView::started_at, "First event of its engine")
                .null_when_empty(),
            field("finished_at", &JobView::finished_at, "When it ended").null_when_empty(),
            field("progress", &JobView::progress, "Newest progress event").null_when_empty(),
            field("retry_of", &JobView::retry_of, "The job it repeats").null_when_empty(),
            field("cost_usd", &JobView::cost_usd, "Cost under the active rate card, in dollars")
                .required(),
        };
    }
};

struct JobList {
    static constexpr std::string_view kName = "JobList";
    std::string object = "list";
    std::vector<JobView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &JobList::object, "list").required(),
            field("data", &JobList::data, "Newest first").required(),
            field("has_more", &JobList::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &JobList::next_cursor, "To give as `after`").null_when_empty(),
        };
    }
};

/// Exactly the nine fields of the older API.
struct JobStatusView {
    static constexpr std::string_view kName = "JobStatusView";
    std::string job_id;
    std::string job_type;
    std::string status;
    std::string created_at;
    std::string updated_at;
    std::optional<JsonText> result;
    std::string logs_uri;
    std::string artifacts_uri;
    std::optional<std::string> error;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobStatusView::job_id, "The job").required(),
            field("job_type", &JobStatusView::job_type, "Its type").required(),
            field(
                "status",
                &JobStatusView::status,
                "pending, assigned, running, completed, failed or cancelled"
            )
                .required(),
            field("created_at", &JobStatusView::created_at, "When it was submitted").required(),
            field("updated_at", &JobStatusView::updated_at, "When its state last changed")
                .required(),
            field("result", &JobStatusView::result, "The job type's result").null_when_empty(),
            field("logs_uri", &JobStatusView::logs_uri, "Where its log is").required(),
            field("artifacts_uri", &JobStatusView::artifacts_uri, "Where what it made is")
                .required(),
            field("error", &JobStatusView::error, "Why it failed").null_when_empty(),
        };
    }
};

struct JobEventView {
    static constexpr std::string_view kName = "JobEventView";
    std::string job_id;
    std::int64_t sequence = 0;
    std::string at;
    std::string type;
    JsonText data;

    static constexpr auto fields() {
        return std::tuple{
            field("job_id", &JobEventView::job_id, "The job").required(),
            field("sequence", &JobEventView::sequence, "Rises by one within the job").required(),
            field("at", &JobEventView::at, "When").required(),
            field("type", &JobEventView::type, "status, progress, metric or log").required(),
            field("data", &JobEventView::data, "By type").required(),
        };
    }
};

struct KeyCreate {
    static constexpr std::string_view kName = "KeyCreate";
    std::string name;
    std::vector<std::string> scopes;
    std::optional<std::int64_t> expires_in_days;

    static constexpr auto fields() {
        return std::tuple{
            field("name", &KeyCreate::name, "For people").length(0, 128).example("laptop"),
            field(
                "scopes",
                &KeyCreate::scopes,
                "What it may do; default: all that the creating key may"
            ),
            field("expires_in_days", &KeyCreate::expires_in_days, "Default: never")
                .within(1, 3650)
                .unit("days"),
        };
    }
};

struct KeyView {
    static constexpr std::string_view kName = "KeyView";
    std::string key_id;
    std::string name;
    std::string prefix;
    std::string last4;
    std::vector<std::string> scopes;
    std::string created_at;
    std::optional<std::string> last_used_at;
    std::optional<std::string> expires_at;
    std::optional<std::string> revoked_at;

    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &KeyView::key_id, "To revoke it by").required(),
            field("name", &KeyView::name, "For people").required(),
            field("prefix", &KeyView::prefix, "How the key begins").required(),
            field("last4", &KeyView::last4, "How it ends").required(),
            field("scopes", &KeyView::scopes, "What it may do").required(),
            field("created_at", &KeyView::created_at, "When").required(),
            field("last_used_at", &KeyView::last_used_at, "To the minute").null_when_empty(),
            field("expires_at", &KeyView::expires_at, "When it ends").null_when_empty(),
            field("revoked_at", &KeyView::revoked_at, "When it was revoked").null_when_empty(),
        };
    }
};

/// The only answer that ever holds the key itself.
struct KeyCreated {
    static constexpr std::string_view kName = "KeyCreated";
    std::string key_id;
    std::string name;
    std::string prefix;
    std::string raw_key;
    std::vector<std::string> scopes;
    std::string created_at;
    std::optional<std::string> expires_at;

    static constexpr auto fields() {
        return std::tuple{
            field("key_id", &KeyCreated::key_id, "To revoke it by").required(),
            field("name", &KeyCreated::name, "For people").required(),
            field("prefix", &KeyCreated::prefix, "How the key begins").required(),
            field("raw_key", &KeyCreated::raw_key, "The key: shown here and never again")
                .required(),
            field("scopes", &KeyCreated::scopes, "What it may do").required(),
            field("created_at", &KeyCreated::created_at, "When").required(),
            field("expires_at", &KeyCreated::expires_at, "When it ends").null_when_empty(),
        };
    }
};

struct KeyList {
    static constexpr std::string_view kName = "KeyList";
    std::string object = "list";
    std::vector<KeyView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &KeyList::object, "list").required(),
            field("data", &KeyList::data, "Newest first").required(),
        };
    }
};

struct WorkerView {
    static constexpr std::string_view kName = "WorkerView";
    std::string worker_id;
    std::string name;
    std::string pool;
    std::string status;
    std::string liveness;
    HardwareProfile profile;
    std::vector<std::string> jobs;
    std::string registered_at;
    std::string last_seen_at;

    static constexpr auto fields() {
        return std::tuple{
            field("worker_id", &WorkerView::worker_id, "The worker").required(),
            field("name", &WorkerView::name, "For people").required(),
            field("pool", &WorkerView::pool, "Jobs of which pool it takes").required(),
            field("status", &WorkerView::status, "approved, pending, cordoned or revoked")
                .required(),
            field("liveness", &WorkerView::liveness, "connected, draining or lost").required(),
            field("profile", &WorkerView::profile, "Hardware as it claims").required(),
            field("jobs", &WorkerView::jobs, "What it holds now").required(),
            field("registered_at", &WorkerView::registered_at, "When").required(),
            field("last_seen_at", &WorkerView::last_seen_at, "Last heartbeat, poll or report")
                .required(),
        };
    }
};

struct WorkerList {
    static constexpr std::string_view kName = "WorkerList";
    std::string object = "list";
    std::vector<WorkerView> data;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &WorkerList::object, "list").required(),
            field("data", &WorkerList::data, "By id").required(),
        };
    }
};

/// An upload, after its files were put under their hashes.
struct ArtifactCreate {
    static constexpr std::string_view kName = "ArtifactCreate";
    std::string kind = "dataset";
    std::string name;
    std::vector<InputFile> files;

    static constexpr auto fields() {
        return std::tuple{
            field("kind", &ArtifactCreate::kind, "dataset or checkpoint")
                .one_of({"dataset", "checkpoint"}),
            field("name", &ArtifactCreate::name, "For people").length(0, 255),
            field("files", &ArtifactCreate::files, "Each uploaded before").required(),
        };
    }
};

struct ArtifactView {
    static constexpr std::string_view kName = "ArtifactView";
    std::string artifact_id;
    std::string kind;
    std::string name;
    std::string uri;
    std::optional<std::string> job_id;
    std::string root_digest;
    std::int64_t bytes = 0;
    std::string created_at;
    std::vector<InputFile> files;

    static constexpr auto fields() {
        return std::tuple{
            field("artifact_id", &ArtifactView::artifact_id, "The artifact").required(),
            field("kind", &ArtifactView::kind, "dataset, distill, checkpoint, eval or deployment")
                .required(),
            field("name", &ArtifactView::name, "For people").required(),
            field("uri", &ArtifactView::uri, "To name it in a job").required(),
            field("job_id", &ArtifactView::job_id, "Which job made it; null for an upload")
                .null_when_empty(),
            field("root_digest", &ArtifactView::root_digest, "Digest over its files").required(),
            field("bytes", &ArtifactView::bytes, "In all").required().unit("bytes"),
            field("created_at", &ArtifactView::created_at, "When").required(),
            field("files", &ArtifactView::files, "Its files").required(),
        };
    }
};

struct ArtifactList {
    static constexpr std::string_view kName = "ArtifactList";
    std::string object = "list";
    std::vector<ArtifactView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        return std::tuple{
            field("object", &ArtifactList::object, "list").required(),
            field("data", &ArtifactList::data, "Newest first").required(),
            field("has_more", &ArtifactList::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &ArtifactList::next_cursor, "To give as `after`")
                .null_when_empty(),
        };
    }
};

/// Usage and cost of a period. Money is text in dollars with six decimals, exact.
struct BillingSummary {
    static constexpr std::string_view kName = "BillingSummary";
    std::string total_cost;
    std::string currency = "USD";
    std::string period_start;
    std::string period_end;
    std::string rate_card;
    std::map<std::string, double> usage_by_type;
    std::map<std::string, std::string> cost_by_type;
    std::map<std::string, std::string> cost_by_job_type;

    static constexpr auto fields() {
        return std::tuple{
            field("total_cost", &BillingSummary::total_cost, "Sum of cost_by_type, in dollars")
                .required(),
            field("currency", &BillingSummary::currency, "USD").required(),
            field("period_start", &BillingSummary::period_start, "From").required(),
            field("period_end", &BillingSummary::period_end, "To").required(),
            field("rate_card", &BillingSummary::rate_card, "Which rates were applied").required(),
            field("usage_by_type", &BillingSummary::usage_by_type, "Quantities by meter")
                .required(),
            field("cost_by_type", &BillingSummary::cost_by_type, "Dollars by meter").required(),
            field("cost_by_job_type", &BillingSummary::cost_by_job_type, "Dollars by job type")
                .required(),
        };
    }
};

struct VersionView {
    static constexpr std::string_view kName = "VersionView";
    std::string version;
    std::string commit;

    static constexpr auto fields() {
        return std::tuple{
            field("version", &VersionView::version, "Of the program").required(),
            field("commit", &VersionView::commit, "It was built from; empty outside a repository")
                .required(),
        };
    }
};

struct HealthView {
    static constexpr std::string_view kName = "HealthView";
    std::string status;
    std::map<std::string, std::string> checks;

    static constexpr auto fields() {
        return std::tuple{
            field("status", &HealthView::status, "ok, or what is wrong").required(),
            field("checks", &HealthView::checks, "One per dependency").required(),
        };
    }
};

}  // namespace nexa::protocol
