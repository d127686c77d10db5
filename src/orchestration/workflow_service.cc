// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_service.h"

#include <utility>

#include "billing/budgets.h"
#include "core/json.h"
#include "core/sha256.h"
#include "orchestration/job_inputs.h"
#include "orchestration/job_store.h"
#include "orchestration/workflow_manifest.h"
#include "orchestration/workflow_spec_check_internal.h"

namespace nexa::orchestration {

namespace {

using protocol::WorkflowView;

std::string status_of(const BranchRecord& branch, const BranchJob& job) {
    if (is_final(branch.state) || job.state.empty()) {
        return std::string(to_string(branch.state));
    }
    return std::string(protocol::to_string(public_status(job.state, job.started)));
}

protocol::WorkflowStepView step_view(
    const StoredWorkflow& stored, const Workflow& workflow, std::size_t step
) {
    const StepDefinition& definition = stored.definition.steps[step];
    const StepRecord& record = stored.record.steps[step];
    protocol::WorkflowStepView view{
        .name = definition.name,
        .job_type = std::string(definition.type->name),
        .status = std::string(to_string(record.state)),
        .reason = record.reason,
    };
    for (const std::size_t need : definition.needs) {
        view.needs.push_back(stored.definition.steps[need].name);
    }
    for (std::size_t i = 0; i < record.branches.size(); ++i) {
        const BranchRecord& branch = record.branches[i];
        const bool has_matrix = branch.matrix.kind == ValueNode::Kind::kObject;
        view.jobs.push_back({
            .job_id = branch.job_id.empty() ? std::nullopt : std::optional(branch.job_id),
            .status = status_of(branch, stored.jobs[step][i]),
            .matrix = has_matrix ? std::optional(JsonText{to_json(branch.matrix)}) : std::nullopt,
            .tries = branch.tries,
        });
    }
    if (definition.matrix.empty() && !view.jobs.empty()) {
        view.job_id = view.jobs.front().job_id;
        if (record.state == StepState::kRunning) {
            view.status = view.jobs.front().status;
        }
    }
    if (record.state == StepState::kCompleted) {
        view.outputs = JsonText{to_json(workflow.outputs(step))};
    }
    return view;
}

protocol::WorkflowSummary summary_of(const WorkflowHead& head) {
    return {
        .workflow_id = head.workflow_id.text(),
        .name = head.name,
        .template_name = head.template_name,
        .status = std::string(to_string(head.state)),
        .schedule_id = head.schedule_id,
        .created_at = to_rfc3339(head.created_at),
        .finished_at =
            head.finished_at ? std::optional(to_rfc3339(*head.finished_at)) : std::nullopt,
    };
}

/// A step that takes nothing from another says now what it reads: a name that is not stored is
/// refused here and not in the middle of the night.
Status check_known_inputs(db::Tx& tx, const NewWorkflow& workflow) {
    const Lookup lookup = [&](const ReferencePath& path) -> std::optional<ValueNode> {
        return path.front() == "inputs"
                   ? std::optional(value_at(workflow.definition.inputs, path, 1))
                   : std::nullopt;
    };
    for (const StepDefinition& step : workflow.definition.steps) {
        const auto spec = substitute(step.spec, lookup);
        if (never_runs(step, lookup) || !spec || !*spec) {
            continue;
        }
        auto payload = payload_of(step, lookup);
        if (!payload) {
            return std::move(payload).error().at("spec").at(step.name).at("steps");
        }
        auto inputs = find_inputs(tx, workflow.tenant_id, step.type->name, *payload);
        if (!inputs) {
            return std::move(inputs).error().at("spec").at(step.name).at("steps");
        }
    }
    return {};
}

}  // namespace

WorkflowView to_view(const StoredWorkflow& stored) {
    const WorkflowHead& head = stored.head;
    WorkflowView view{
        .workflow_id = head.workflow_id.text(),
        .name = head.name,
        .template_name = head.template_name,
        .status = std::string(to_string(head.state)),
        .cancel_requested = head.cancel_requested,
        .run = head.run,
        .user_id = head.user_id,
        .schedule_id = head.schedule_id,
        .created_at = to_rfc3339(head.created_at),
        .updated_at = to_rfc3339(head.updated_at),
        .finished_at =
            head.finished_at ? std::optional(to_rfc3339(*head.finished_at)) : std::nullopt,
        .definition = head.definition,
    };
    const Workflow workflow(stored.definition, stored.record);
    for (std::size_t step = 0; step < stored.definition.steps.size(); ++step) {
        view.steps.push_back(step_view(stored, workflow, step));
    }
    return view;
}

Result<WorkflowId> submit_workflow(
    db::Tx& tx, const WorkflowDriver& driver, const NewWorkflow& workflow, WorkflowNews& news
) {
    TRY(auto earlier, workflow_store::find_earlier(tx, workflow));
    if (earlier) {
        return *std::move(earlier);
    }
    TRY_STATUS(billing::budgets::admit(tx, workflow.tenant_id, workflow.key_id));
    TRY_STATUS(check_known_inputs(tx, workflow));
    TRY(const bool added, workflow_store::add(tx, workflow));
    if (!added) {  // by another coordinator, in this very moment
        TRY(earlier, workflow_store::find_earlier(tx, workflow));
        return earlier ? Result<WorkflowId>(*std::move(earlier))
                       : Error::unavailable("the workflow could not be stored").hint("try again");
    }
    TRY_STATUS(driver.begin(tx, workflow.workflow_id, news));
    return workflow.workflow_id;
}

net::Task<WorkflowView> WorkflowService::submit(WorkflowSubmission submission) {
    CO_TRY(WorkflowDefinition definition, read_workflow(submission.tree, submission.source));
    NewWorkflow workflow{
        .workflow_id = with_.ids.make<WorkflowId>(),
        .tenant_id = submission.principal.project_id,
        .user_id = submission.principal.user_id,
        .key_id = submission.principal.key_id,
        .definition = std::move(definition),
        .idempotency_key = submission.idempotency_key,
    };
    workflow.request_sha256 = sha256(workflow.definition.text.text).hex();
    using Stored = std::pair<WorkflowView, WorkflowNews>;
    auto apply = [&driver = with_.driver,
                  workflow = std::move(workflow)](db::Tx& tx) -> Result<Stored> {
        Stored stored;
        TRY(const WorkflowId id, submit_workflow(tx, driver, workflow, stored.second));
        TRY(const StoredWorkflow made, workflow_store::get(tx, id, workflow.tenant_id));
        stored.first = to_view(made);
        return stored;
    };
    CO_TRY(Stored stored, co_await with_.backend.write(std::move(apply)));
    with_.driver.tell(stored.second);
    co_return std::move(stored.first);
}

net::Task<WorkflowView> WorkflowService::get(
    WorkflowId workflow_id, accounts::Principal principal
) {
    auto look_up = [workflow_id = std::move(workflow_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<WorkflowView> {
        TRY(const StoredWorkflow stored, workflow_store::get(tx, workflow_id, tenant_id));
        return to_view(stored);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<WorkflowPage> WorkflowService::list(WorkflowFilter filter) {
    auto look_up = [filter = std::move(filter)](db::Tx& tx) -> Result<WorkflowPage> {
        TRY(const auto heads, workflow_store::list(tx, filter));
        WorkflowPage page{.has_more = heads.size() > static_cast<std::size_t>(filter.limit)};
        const std::size_t count = page.has_more ? heads.size() - 1 : heads.size();
        for (std::size_t i = 0; i < count; ++i) {
            page.workflows.push_back(summary_of(heads[i]));
        }
        return page;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<WorkflowView> WorkflowService::cancel(
    WorkflowId workflow_id, accounts::Principal principal
) {
    using Cancelled = std::pair<WorkflowView, WorkflowNews>;
    auto apply = [workflow_id = std::move(workflow_id),
                  tenant_id = std::move(principal.project_id),
                  &driver = with_.driver](db::Tx& tx) -> Result<Cancelled> {
        Cancelled cancelled;
        TRY_STATUS(workflow_store::get(tx, workflow_id, tenant_id));
        TRY_STATUS(driver.cancel(tx, workflow_id, cancelled.second));
        TRY(const StoredWorkflow after, workflow_store::get(tx, workflow_id, tenant_id));
        cancelled.first = to_view(after);
        return cancelled;
    };
    CO_TRY(Cancelled cancelled, co_await with_.backend.write(std::move(apply)));
    with_.driver.tell(cancelled.second);
    co_return std::move(cancelled.first);
}

net::Task<WorkflowView> WorkflowService::rerun(
    WorkflowId workflow_id, std::string step, accounts::Principal principal
) {
    using Again = std::pair<WorkflowView, WorkflowNews>;
    auto apply = [workflow_id = std::move(workflow_id),
                  step = std::move(step),
                  tenant_id = std::move(principal.project_id),
                  key_id = std::move(principal.key_id),
                  &driver = with_.driver](db::Tx& tx) -> Result<Again> {
        Again again;
        TRY_STATUS(workflow_store::get(tx, workflow_id, tenant_id));
        TRY_STATUS(billing::budgets::admit(tx, tenant_id, key_id));
        TRY_STATUS(driver.rerun(tx, workflow_id, step, again.second));
        TRY(const StoredWorkflow after, workflow_store::get(tx, workflow_id, tenant_id));
        again.first = to_view(after);
        return again;
    };
    CO_TRY(Again again, co_await with_.backend.write(std::move(apply)));
    with_.driver.tell(again.second);
    co_return std::move(again.first);
}

net::Task<RunManifest> WorkflowService::manifest(
    WorkflowId workflow_id, accounts::Principal principal
) {
    auto look_up = [workflow_id = std::move(workflow_id),
                    tenant_id = std::move(principal.project_id),
                    code = with_.code](db::Tx& tx) -> Result<RunManifest> {
        TRY(const StoredWorkflow stored, workflow_store::get(tx, workflow_id, tenant_id));
        return manifest_of(tx, stored, code);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

}  // namespace nexa::orchestration
