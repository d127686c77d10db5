// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/workflows.h"

#include "api/authenticator.h"
#include "api/budget_refusal.h"
#include "api/query.h"
#include "api/rows.h"
#include "api/workflow_body.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;
using orchestration::WorkflowId;

/// Whoever may submit a job may submit several at once.
constexpr Noun kNoun{.tag = "workflows", .read_scope = "jobs:read", .write_scope = "jobs:write"};
Result<WorkflowId> workflow_id_in(const std::string& text) {
    auto workflow_id = WorkflowId::parse(text);
    if (!workflow_id) {
        return Error::not_found("there is no workflow {}", text).at("workflow_id");
    }
    return workflow_id;
}

Result<orchestration::WorkflowFilter> filter_of(const net::Call& call) {
    const net::Query& query = call.head->query;
    orchestration::WorkflowFilter filter{
        .tenant_id = principal_of(call.principal).project_id,
        .schedule_id = text_parameter(query, "schedule_id"),
        .after = text_parameter(query, "after"),
    };
    TRY(filter.limit, limit_parameter(query));
    if (const auto status = text_parameter(query, "status")) {
        filter.state = orchestration::workflow_state_from(*status);
        if (!filter.state) {
            return Error::invalid_argument("there is no status '{}'", *status)
                .at("status")
                .hint("running, completed, failed or cancelled");
        }
    }
    return filter;
}

}  // namespace

std::vector<net::Route> WorkflowEndpoints::routes() {
    const std::string one = "/api/workflows/{workflow_id}";
    net::Route submit_row =
        row(kNoun,
            {Method::kPost, "/api/workflows", "workflows_submit", "Run steps as a graph of jobs"});
    submit_row.body_bytes_max = kWorkflowBytesMax;
    submit_row.content_types = workflow_content_types();
    submit_row.request = net::body_type<protocol::WorkflowSpec>();
    submit_row.response = net::body_type<protocol::WorkflowView>();
    submit_row.success_status = 202;
    submit_row.handler = bound(*this, &WorkflowEndpoints::submit);
    net::Route list_row =
        row(kNoun,
            {Method::kGet, "/api/workflows", "workflows_list", "List your workflows, newest first"}
        );
    list_row.parameters = {
        {.name = "status", .description = "Only workflows in this status"},
        {.name = "schedule_id", .description = "Only those that this schedule made"},
        {.name = "limit",
         .description = "Workflows per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    net::Route cancel_row =
        row(kNoun, {Method::kPost, one + "/cancel", "workflows_cancel", "Ask a workflow to stop"});
    cancel_row.body_bytes_max = kIgnoredBodyMax;
    net::Route rerun_row =
        row(kNoun, {Method::kPost, one + "/rerun", "workflows_rerun", "Run again from a step on"});
    rerun_row.body_bytes_max = kFormBytesMax;
    rerun_row.request = net::body_type<protocol::WorkflowRerun>();
    rerun_row.response = net::body_type<protocol::WorkflowView>();
    rerun_row.handler = bound(*this, &WorkflowEndpoints::rerun);
    return {
        std::move(submit_row),
        net::typed(list_row, *this, &WorkflowEndpoints::list),
        net::typed(
            row(kNoun, {Method::kGet, one, "workflows_get", "Read a workflow with its steps"}),
            *this,
            &WorkflowEndpoints::get
        ),
        net::typed(cancel_row, *this, &WorkflowEndpoints::cancel),
        std::move(rerun_row),
        net::typed(
            row(kNoun,
                {Method::kGet,
                 one + "/manifest",
                 "workflows_manifest",
                 "Read what ran: config, code, and every file by its hash"}),
            *this,
            &WorkflowEndpoints::manifest
        ),
    };
}

net::Task<net::Response> WorkflowEndpoints::submit(net::Request request) {
    CO_TRY(auto idempotency_key, idempotency_key_of(*request.head));
    CO_TRY(WorkflowBody body, read_workflow_body(*request.head, request.body));
    orchestration::WorkflowSubmission submission{
        .tree = std::move(body.tree),
        .source = std::move(body.source),
        .principal = principal_of(request.principal),
        .idempotency_key = std::move(idempotency_key),
    };
    const auto stored = co_await workflows_.submit(std::move(submission));
    if (!stored) {
        co_return refusal_of(stored.error(), clock_.now());
    }
    const protocol::WorkflowView& view = *stored;
    net::Response response = net::Response::json(to_json(view), 202);
    response.headers.set("Location", fmt::format("/api/workflows/{}", view.workflow_id));
    co_return response;
}

net::Task<protocol::WorkflowView> WorkflowEndpoints::get(net::Call call) {
    CO_TRY(WorkflowId workflow_id, workflow_id_in(call.parameter("workflow_id")));
    co_return co_await workflows_.get(std::move(workflow_id), principal_of(call.principal));
}

net::Task<protocol::WorkflowList> WorkflowEndpoints::list(net::Call call) {
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(orchestration::WorkflowPage page, co_await workflows_.list(std::move(filter)));
    protocol::WorkflowList list{.data = std::move(page.workflows), .has_more = page.has_more};
    if (list.has_more) {
        list.next_cursor = list.data.back().workflow_id;
    }
    co_return list;
}

net::Task<protocol::WorkflowView> WorkflowEndpoints::cancel(net::Call call) {
    CO_TRY(WorkflowId workflow_id, workflow_id_in(call.parameter("workflow_id")));
    co_return co_await workflows_.cancel(std::move(workflow_id), principal_of(call.principal));
}

net::Task<net::Response> WorkflowEndpoints::rerun(net::Request request) {
    CO_TRY(WorkflowId workflow_id, workflow_id_in(request.parameter("workflow_id")));
    CO_TRY(auto wish, from_json<protocol::WorkflowRerun>(request.body));
    const auto again = co_await workflows_.rerun(
        std::move(workflow_id), std::move(wish.from), principal_of(request.principal)
    );
    co_return again ? net::Response::json(to_json(*again))
                    : refusal_of(again.error(), clock_.now());
}

net::Task<RunManifest> WorkflowEndpoints::manifest(net::Call call) {
    CO_TRY(WorkflowId workflow_id, workflow_id_in(call.parameter("workflow_id")));
    co_return co_await workflows_.manifest(std::move(workflow_id), principal_of(call.principal));
}

}  // namespace nexa::api
