// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"
#include "protocol/engine.h"

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
    std::optional<std::string> status_reason;
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
            field(
                "status_reason", &JobView::status_reason, "What it waits for, if it waits: one line"
            )
                .null_when_empty(),
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

}  // namespace nexa::protocol
