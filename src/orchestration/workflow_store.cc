// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_store.h"

#include <utility>

#include "core/check.h"
#include "core/json.h"
#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

WorkflowHead head_from(const db::Row& row) {
    auto workflow_id = WorkflowId::parse(row.text("id"));
    const auto state = workflow_state_from(row.text("state"));
    NEXA_CHECK(workflow_id && state);  // we wrote them
    return {
        .workflow_id = *std::move(workflow_id),
        .tenant_id = row.text("tenant_id"),
        .user_id = row.text("user_id"),
        .key_id = row.text("key_id"),
        .name = row.optional_text("name"),
        .template_name = row.optional_text("template"),
        .schedule_id = row.optional_text("schedule_id"),
        .definition = {row.text("definition")},
        .state = *state,
        .cancel_requested = row.int64("cancel_requested") != 0,
        .run = static_cast<int>(row.int64("run")),
        .created_at = row.timestamp("created_at"),
        .updated_at = row.timestamp("updated_at"),
        .finished_at = row.optional_timestamp("finished_at"),
    };
}

/// What we stored ourselves; a text that is no JSON counts as nothing.
ValueNode tree_of(const std::optional<std::string>& text) {
    if (!text) {
        return {};
    }
    auto tree = parse_json(*text);
    return tree ? settled(*std::move(tree)) : ValueNode{};
}

/// Which step of the definition a row is about.
Result<std::size_t> place_in(const StoredWorkflow& stored, const db::Row& row) {
    const auto place = static_cast<std::size_t>(row.int64("step"));
    if (place >= stored.definition.steps.size()) {
        return Error::data_loss(
            "workflow {} has a step {} that its definition does not have",
            stored.head.workflow_id.text(),
            place
        );
    }
    return place;
}

StepState state_from(const db::Row& row) {
    const auto state = step_state_from(row.text("state"));
    NEXA_CHECK(state.has_value());  // the table takes no other
    return *state;
}

Status put_step(
    db::Tx& tx, const WorkflowId& workflow_id, std::size_t step, const StepRecord& record
) {
    TRY_STATUS(tx.execute(
        sql::kPutWorkflowStep,
        {
            {"workflow_id", workflow_id},
            {"step", step},
            {"state", to_string(record.state)},
            {"reason", record.reason},
        }
    ));
    return {};
}

Status put_branches(
    db::Tx& tx,
    const WorkflowId& workflow_id,
    std::size_t step,
    const StepRecord& before,
    const StepRecord& after
) {
    for (std::size_t i = 0; i < after.branches.size(); ++i) {
        const BranchRecord& branch = after.branches[i];
        if (i < before.branches.size() && before.branches[i].state == branch.state &&
            before.branches[i].job_id == branch.job_id &&
            before.branches[i].tries == branch.tries) {
            continue;
        }
        const auto job_id =
            branch.job_id.empty() ? std::nullopt : std::optional<std::string>(branch.job_id);
        TRY_STATUS(tx.execute(
            sql::kPutWorkflowBranch,
            {
                {"workflow_id", workflow_id},
                {"step", step},
                {"branch", i},
                {"state", to_string(branch.state)},
                {"matrix", to_json(branch.matrix)},
                {"job_id", job_id},
                {"tries", branch.tries},
            }
        ));
    }
    if (after.branches.size() < before.branches.size()) {
        TRY_STATUS(tx.execute(
            sql::kForgetWorkflowBranches,
            {{"workflow_id", workflow_id}, {"step", step}, {"from", after.branches.size()}}
        ));
    }
    return {};
}

}  // namespace

namespace workflow_store {

Result<bool> add(db::Tx& tx, const NewWorkflow& workflow) {
    TRY_STATUS(tx.execute(sql::kEnsureTenant, {{"tenant_id", workflow.tenant_id}}));
    TRY(const auto row,
        tx.query_one(
            sql::kAddWorkflow,
            {
                {"workflow_id", workflow.workflow_id},
                {"tenant_id", workflow.tenant_id},
                {"user_id", workflow.user_id},
                {"key_id", workflow.key_id},
                {"name", workflow.definition.name},
                {"template", workflow.definition.template_name},
                {"schedule_id", workflow.schedule_id},
                {"definition", workflow.definition.text.text},
                {"idempotency_key", workflow.idempotency_key},
                {"request_sha256", workflow.request_sha256},
            }
        ));
    if (!row) {
        return false;
    }
    for (std::size_t step = 0; step < workflow.definition.steps.size(); ++step) {
        TRY_STATUS(put_step(tx, workflow.workflow_id, step, {}));
    }
    return true;
}

Result<std::optional<WorkflowId>> find_earlier(db::Tx& tx, const NewWorkflow& workflow) {
    if (!workflow.idempotency_key) {
        return std::nullopt;
    }
    TRY(const auto row,
        tx.query_one(
            sql::kFindWorkflowKey,
            {{"tenant_id", workflow.tenant_id}, {"key", *workflow.idempotency_key}}
        ));
    if (!row) {
        return std::nullopt;
    }
    if (row->text("request_sha256") != workflow.request_sha256) {
        return Error::invalid_argument(
                   "idempotency key '{}' was used before with another request (workflow {})",
                   *workflow.idempotency_key,
                   row->text("id")
        )
            .at("Idempotency-Key")
            .hint("make a new key for a new request");
    }
    TRY(WorkflowId workflow_id, WorkflowId::parse(row->text("id")));
    return std::optional(std::move(workflow_id));
}

Result<StoredWorkflow> get(
    db::Tx& tx, const WorkflowId& workflow_id, const std::optional<std::string>& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetWorkflow, {{"workflow_id", workflow_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return Error::not_found("there is no workflow {}", workflow_id.text()).at("workflow_id");
    }
    return load(tx, head_from(*row));
}

Result<WorkflowHead> take(db::Tx& tx, const WorkflowId& workflow_id) {
    TRY(const auto row, tx.query_one(sql::kTakeWorkflow, {{"workflow_id", workflow_id}}));
    if (!row) {
        return Error::not_found("there is no workflow {}", workflow_id.text()).at("workflow_id");
    }
    return head_from(*row);
}

Result<StoredWorkflow> load(db::Tx& tx, WorkflowHead head) {
    TRY(WorkflowDefinition definition, read_workflow(head.definition));
    StoredWorkflow stored{.head = std::move(head), .definition = std::move(definition)};
    stored.record.state = stored.head.state;
    stored.record.cancel_requested = stored.head.cancel_requested;
    stored.record.run = stored.head.run;
    stored.record.steps.resize(stored.definition.steps.size());
    stored.jobs.resize(stored.definition.steps.size());
    TRY(const auto steps,
        tx.query(sql::kListWorkflowSteps, {{"workflow_id", stored.head.workflow_id}}));
    for (const db::Row& row : steps) {
        TRY(const std::size_t place, place_in(stored, row));
        StepRecord& step = stored.record.steps[place];
        step.state = state_from(row);
        step.reason = row.text("reason");
    }
    TRY(const auto branches,
        tx.query(sql::kListWorkflowBranches, {{"workflow_id", stored.head.workflow_id}}));
    for (const db::Row& row : branches) {
        TRY(const std::size_t step, place_in(stored, row));
        stored.record.steps[step].branches.push_back({
            .state = state_from(row),
            .matrix = tree_of(row.optional_text("matrix")),
            .job_id = row.optional_text("job_id").value_or(""),
            .tries = static_cast<int>(row.int64("tries")),
            .result = tree_of(row.optional_text("result")),
        });
        const auto error = row.optional_text("error");
        stored.jobs[step].push_back({
            .state = row.optional_text("job_state").value_or(""),
            .started = row.optional_int64("started_at").has_value(),
            .error = error ? std::optional(JsonText{*error}) : std::nullopt,
        });
    }
    return stored;
}

Result<std::vector<WorkflowHead>> list(db::Tx& tx, const WorkflowFilter& filter) {
    const auto state = filter.state ? std::optional(to_string(*filter.state)) : std::nullopt;
    TRY(const auto rows,
        tx.query(
            sql::kListWorkflows,
            {
                {"tenant_id", filter.tenant_id},
                {"after", filter.after},
                {"state", state},
                {"schedule_id", filter.schedule_id},
                {"limit", filter.limit + 1},
            }
        ));
    std::vector<WorkflowHead> heads;
    heads.reserve(rows.size());
    for (const db::Row& row : rows) {
        heads.push_back(head_from(row));
    }
    return heads;
}

Status save(
    db::Tx& tx,
    const WorkflowId& workflow_id,
    const WorkflowRecord& before,
    const WorkflowRecord& after
) {
    TRY_STATUS(tx.execute(
        sql::kSetWorkflow,
        {
            {"workflow_id", workflow_id},
            {"state", to_string(after.state)},
            {"cancel_requested", after.cancel_requested},
            {"run", after.run},
        }
    ));
    for (std::size_t step = 0; step < after.steps.size(); ++step) {
        const StepRecord& old = before.steps[step];
        const StepRecord& now = after.steps[step];
        if (old.state != now.state || old.reason != now.reason) {
            TRY_STATUS(put_step(tx, workflow_id, step, now));
        }
        TRY_STATUS(put_branches(tx, workflow_id, step, old, now));
    }
    return {};
}

Status give_up(db::Tx& tx, const WorkflowHead& head) {
    TRY_STATUS(tx.execute(
        sql::kSetWorkflow,
        {
            {"workflow_id", head.workflow_id},
            {"state", to_string(WorkflowState::kFailed)},
            {"cancel_requested", head.cancel_requested},
            {"run", head.run},
        }
    ));
    return {};
}

Result<std::vector<WorkflowId>> with_news(db::Tx& tx) {
    TRY(const auto rows, tx.query(sql::kListWorkflowNews));
    std::vector<WorkflowId> found;
    for (const db::Row& row : rows) {
        TRY(WorkflowId workflow_id, WorkflowId::parse(row.text("workflow_id")));
        found.push_back(std::move(workflow_id));
    }
    return found;
}

Status clear_news(db::Tx& tx, const WorkflowId& workflow_id) {
    TRY_STATUS(tx.execute(sql::kClearWorkflowNews, {{"workflow_id", workflow_id}}));
    return {};
}

}  // namespace workflow_store

}  // namespace nexa::orchestration
