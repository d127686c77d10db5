// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"

namespace nexa::protocol {

// Workflows as users send and get them. Times are RFC 3339 text in UTC.

/// One step, as submitted. It becomes one job, or one for each combination of its matrix.
struct WorkflowStepSpec {
    static constexpr std::string_view kName = "WorkflowStepSpec";
    std::string job_type;
    std::optional<JsonText> spec;
    std::vector<std::string> needs;
    std::optional<JsonText> condition;
    std::optional<std::map<std::string, JsonText>> matrix;
    std::string on_failure = "stop";
    int retries = 0;
    std::string pool = "default";
    int priority = 0;
    int max_attempts = 3;
    int gpus = 0;
    std::int64_t memory_bytes = 0;

    static constexpr auto fields() {
        using S = WorkflowStepSpec;
        return std::tuple{
            field("job_type", &S::job_type, "What the step does").required().example("train"),
            field(
                "spec",
                &S::spec,
                "The job type's spec; texts may hold ${{ steps.NAME.outputs.FIELD }}, "
                "${{ inputs.NAME }} and ${{ matrix.NAME }}"
            ),
            field("needs", &S::needs, "Steps before it, beside those that it refers to")
                .length(0, 256),
            field("if", &S::condition, "Expression; where it is false the step is skipped"),
            field(
                "matrix",
                &S::matrix,
                "Lists of values, or an expression that gives one; a job for each combination"
            )
                .length(1, 8),
            field(
                "on_failure",
                &S::on_failure,
                "stop: what needs it is skipped and the workflow fails; continue: neither"
            )
                .one_of({"stop", "continue"}),
            field("retries", &S::retries, "New jobs in place of one that failed").within(0, 10),
            field("pool", &S::pool, "Workers of which pool may take it").length(1, 64),
            field("priority", &S::priority, "Lower runs first").within(-100, 100),
            field("max_attempts", &S::max_attempts, "Attempts of a job that may end in an error")
                .within(1, 20),
            field("gpus", &S::gpus, "Accelerators it needs").within(0, 1024),
            field("memory_bytes", &S::memory_bytes, "Memory it needs")
                .unit("bytes")
                .within(0, 1LL << 50),
        };
    }
};

struct WorkflowSpec {
    static constexpr std::string_view kName = "WorkflowSpec";
    std::optional<std::string> name;
    std::optional<std::string> template_name;
    std::map<std::string, JsonText> inputs;
    std::map<std::string, WorkflowStepSpec> steps;

    static constexpr auto fields() {
        using W = WorkflowSpec;
        return std::tuple{
            field("name", &W::name, "For people").length(1, 255),
            field("template", &W::template_name, "A built-in workflow in place of steps")
                .example("training_pipeline"),
            field("inputs", &W::inputs, "Values that expressions see as inputs.NAME").length(0, 64),
            field("steps", &W::steps, "By name").length(0, 256),
        };
    }
};

struct WorkflowJobView {
    static constexpr std::string_view kName = "WorkflowJobView";
    std::optional<std::string> job_id;
    std::string status;
    std::optional<JsonText> matrix;
    int tries = 0;

    static constexpr auto fields() {
        using J = WorkflowJobView;
        return std::tuple{
            field("job_id", &J::job_id, "The newest job").null_when_empty(),
            field("status", &J::status, "The job's status").required(),
            field("matrix", &J::matrix, "The values it runs with").null_when_empty(),
            field("tries", &J::tries, "Jobs made for it").required(),
        };
    }
};

struct WorkflowStepView {
    static constexpr std::string_view kName = "WorkflowStepView";
    std::string name;
    std::string job_type;
    std::string status;
    std::string reason;
    std::vector<std::string> needs;
    std::optional<std::string> job_id;
    std::vector<WorkflowJobView> jobs;
    std::optional<JsonText> outputs;

    static constexpr auto fields() {
        using S = WorkflowStepView;
        return std::tuple{
            field("name", &S::name, "The step").required(),
            field("job_type", &S::job_type, "What it does").required(),
            field(
                "status",
                &S::status,
                "blocked, pending, assigned, running, completed, failed, skipped or cancelled"
            )
                .required(),
            field("reason", &S::reason, "Why it was skipped, or failed").required(),
            field("needs", &S::needs, "Steps that have to end before it").required(),
            field("job_id", &S::job_id, "Its job; null before it has one, and where it has several")
                .null_when_empty(),
            field("jobs", &S::jobs, "All its jobs, in the order of the matrix").required(),
            field("outputs", &S::outputs, "Its job's result").null_when_empty(),
        };
    }
};

struct WorkflowView {
    static constexpr std::string_view kName = "WorkflowView";
    std::string workflow_id;
    std::optional<std::string> name;
    std::optional<std::string> template_name;
    std::string status;
    bool cancel_requested = false;
    int run = 1;
    std::string user_id;
    std::optional<std::string> schedule_id;
    std::string created_at;
    std::string updated_at;
    std::optional<std::string> finished_at;
    JsonText definition;
    std::vector<WorkflowStepView> steps;

    static constexpr auto fields() {
        using W = WorkflowView;
        return std::tuple{
            field("workflow_id", &W::workflow_id, "The workflow").required(),
            field("name", &W::name, "For people").null_when_empty(),
            field("template", &W::template_name, "The built-in workflow it is").null_when_empty(),
            field("status", &W::status, "running, completed, failed or cancelled").required(),
            field("cancel_requested", &W::cancel_requested, "True once a cancel was asked for")
                .required(),
            field("run", &W::run, "Rises by one with each rerun").required(),
            field("user_id", &W::user_id, "Who submitted it").required(),
            field("schedule_id", &W::schedule_id, "The schedule that made it").null_when_empty(),
            field("created_at", &W::created_at, "When it was submitted").required(),
            field("updated_at", &W::updated_at, "When it last moved on").required(),
            field("finished_at", &W::finished_at, "When it ended").null_when_empty(),
            field("definition", &W::definition, "What was asked").required(),
            field("steps", &W::steps, "Each after those that it needs").required(),
        };
    }
};

/// A workflow in a list.
struct WorkflowSummary {
    static constexpr std::string_view kName = "WorkflowSummary";
    std::string workflow_id;
    std::optional<std::string> name;
    std::optional<std::string> template_name;
    std::string status;
    std::optional<std::string> schedule_id;
    std::string created_at;
    std::optional<std::string> finished_at;

    static constexpr auto fields() {
        using W = WorkflowSummary;
        return std::tuple{
            field("workflow_id", &W::workflow_id, "The workflow").required(),
            field("name", &W::name, "For people").null_when_empty(),
            field("template", &W::template_name, "The built-in workflow it is").null_when_empty(),
            field("status", &W::status, "running, completed, failed or cancelled").required(),
            field("schedule_id", &W::schedule_id, "The schedule that made it").null_when_empty(),
            field("created_at", &W::created_at, "When it was submitted").required(),
            field("finished_at", &W::finished_at, "When it ended").null_when_empty(),
        };
    }
};

struct WorkflowList {
    static constexpr std::string_view kName = "WorkflowList";
    std::string object = "list";
    std::vector<WorkflowSummary> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        using W = WorkflowList;
        return std::tuple{
            field("object", &W::object, "list").required(),
            field("data", &W::data, "Newest first").required(),
            field("has_more", &W::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &W::next_cursor, "To give as `after`").null_when_empty(),
        };
    }
};

struct WorkflowRerun {
    static constexpr std::string_view kName = "WorkflowRerun";
    std::string from;

    static constexpr auto fields() {
        return std::tuple{
            field(
                "from",
                &WorkflowRerun::from,
                "Step that runs again, with all that need it; those before keep their outputs"
            )
                .required(),
        };
    }
};

}  // namespace nexa::protocol
