// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_driver.h"

#include <deque>
#include <iterator>

#include "core/json.h"
#include "core/sha256.h"
#include "orchestration/deploying.h"
#include "orchestration/job_inputs.h"
#include "orchestration/job_store.h"

namespace nexa::orchestration {

namespace {

/// An error of the database is the caller's: the transaction is over. All else is the step's.
bool is_database_error(const db::Tx& tx) {
    return tx.failure() != nullptr;
}

std::string message_of(const std::optional<JsonText>& error) {
    if (!error) {
        return {};
    }
    const auto read =
        from_json<protocol::EngineError>(error->text, {.unknown_keys = UnknownKeys::kIgnore});
    return read ? fmt::format("{}: {}", read->code, read->message) : std::string();
}

std::optional<StepState> end_of(std::string_view job_state) {
    if (job_state == "done") {
        return StepState::kCompleted;
    }
    if (job_state == "dead") {
        return StepState::kFailed;
    }
    return job_state == "cancelled" ? std::optional(StepState::kCancelled) : std::nullopt;
}

/// The jobs that ended and that the record knows as running.
std::vector<JobEnd> ends_in(const StoredWorkflow& stored) {
    std::vector<JobEnd> ends;
    for (std::size_t step = 0; step < stored.jobs.size(); ++step) {
        for (std::size_t i = 0; i < stored.jobs[step].size(); ++i) {
            const BranchRecord& branch = stored.record.steps[step].branches[i];
            const BranchJob& job = stored.jobs[step][i];
            const auto end = end_of(job.state);
            if (branch.state == StepState::kRunning && end) {
                ends.push_back({branch.job_id, *end, branch.result, message_of(job.error)});
            }
        }
    }
    return ends;
}

NewJob new_job(
    const WorkflowHead& head, const StepDefinition& step, const StartJob& start, JobId job_id
) {
    const std::string title = head.name ? *head.name : head.workflow_id.text();
    return {
        .job_id = std::move(job_id),
        .tenant_id = head.tenant_id,
        .user_id = head.user_id,
        .key_id = head.key_id,
        .job_type = std::string(step.type->name),
        .payload = start.payload,
        .pool = step.pool,
        .priority = step.priority,
        .gpus = step.gpus,
        .memory_bytes = step.memory_bytes,
        .max_failures = step.max_attempts,
        .name = fmt::format("{} / {}", title, step.name),
        .retry_of = start.retry_of.empty() ? std::nullopt : std::optional(start.retry_of),
    };
}

}  // namespace

Result<Workflow::Actions> WorkflowDriver::start(
    db::Tx& tx,
    const WorkflowHead& head,
    Workflow& workflow,
    const StartJob& start,
    WorkflowNews& news
) const {
    const StepDefinition& step = workflow.definition().steps[start.step];
    NewJob job = new_job(head, step, start, with_.ids.make<JobId>());
    Status good;
    auto inputs = find_inputs(tx, job.tenant_id, job.job_type, job.payload);
    if (inputs) {
        job.inputs = *std::move(inputs);
        good = deploys(job.job_type) ? check_deploy(tx, job, regions_) : Status();
    } else {
        good = std::move(inputs).error();
    }
    if (!good) {
        if (is_database_error(tx)) {
            return std::move(good).error();
        }
        return workflow.start_refused(start.step, start.branch, std::move(good).error().at("spec"));
    }
    TRY_STATUS(job_store::submit(tx, job));
    workflow.job_started(start.step, start.branch, job.job_id.text());
    news.started.push_back({job.job_type, job.pool});
    return Workflow::Actions();
}

Status WorkflowDriver::carry_out(
    db::Tx& tx,
    const WorkflowHead& head,
    Workflow& workflow,
    Workflow::Actions actions,
    WorkflowNews& news
) const {
    std::deque<WorkflowAction> left(
        std::make_move_iterator(actions.begin()), std::make_move_iterator(actions.end())
    );
    // Ends: each action makes, or ends, one of a bounded number of jobs.
    while (!left.empty()) {
        const WorkflowAction action = std::move(left.front());
        left.pop_front();
        Workflow::Actions more;
        if (const auto* wanted = std::get_if<StartJob>(&action)) {
            if (workflow.wants(*wanted)) {
                TRY(more, start(tx, head, workflow, *wanted, news));
            }
        } else {
            TRY(const JobId job_id, JobId::parse(std::get<CancelJob>(action).job_id));
            TRY(const Job job, job_store::cancel(tx, job_id, head.tenant_id));
            if (const auto end = end_of(job.state)) {
                news.cancelled.emplace_back(job_id.text(), job.job_type);
                more = workflow.job_ended({job_id.text(), *end, {}, {}});
            } else {
                news.asked_to_stop.push_back(job_id.text());
            }
        }
        std::ranges::move(more, std::back_inserter(left));
    }
    return {};
}

Status WorkflowDriver::begin(db::Tx& tx, const WorkflowId& workflow_id, WorkflowNews& news) const {
    TRY(WorkflowHead head, workflow_store::take(tx, workflow_id));
    TRY(const StoredWorkflow stored, workflow_store::load(tx, std::move(head)));
    Workflow workflow(stored.definition, stored.record);
    TRY_STATUS(carry_out(tx, stored.head, workflow, workflow.advance(), news));
    TRY_STATUS(workflow_store::save(tx, workflow_id, stored.record, workflow.record()));
    return workflow_store::clear_news(tx, workflow_id);
}

Status WorkflowDriver::cancel(db::Tx& tx, const WorkflowId& workflow_id, WorkflowNews& news) const {
    TRY(WorkflowHead head, workflow_store::take(tx, workflow_id));
    TRY(const StoredWorkflow stored, workflow_store::load(tx, std::move(head)));
    Workflow workflow(stored.definition, stored.record);
    TRY_STATUS(carry_out(tx, stored.head, workflow, workflow.cancel(), news));
    TRY_STATUS(workflow_store::save(tx, workflow_id, stored.record, workflow.record()));
    return workflow_store::clear_news(tx, workflow_id);
}

Status WorkflowDriver::rerun(
    db::Tx& tx, const WorkflowId& workflow_id, std::string_view step, WorkflowNews& news
) const {
    TRY(WorkflowHead head, workflow_store::take(tx, workflow_id));
    TRY(const StoredWorkflow stored, workflow_store::load(tx, std::move(head)));
    Workflow workflow(stored.definition, stored.record);
    TRY(Workflow::Actions actions, workflow.rerun_from(step));
    TRY_STATUS(carry_out(tx, stored.head, workflow, std::move(actions), news));
    TRY_STATUS(workflow_store::save(tx, workflow_id, stored.record, workflow.record()));
    return workflow_store::clear_news(tx, workflow_id);
}

Result<WorkflowNews> WorkflowDriver::advance(db::Tx& tx) const {
    WorkflowNews news;
    TRY(const auto waiting, workflow_store::with_news(tx));
    for (const WorkflowId& workflow_id : waiting) {
        TRY(WorkflowHead head, workflow_store::take(tx, workflow_id));
        auto stored = workflow_store::load(tx, head);
        if (!stored) {
            if (is_database_error(tx)) {
                return std::move(stored).error();
            }
            log_.error(
                "workflow cannot be read any more",
                {{"workflow_id", workflow_id.text()}, {"error", stored.error().to_string()}}
            );
            TRY_STATUS(workflow_store::give_up(tx, head));
            TRY_STATUS(workflow_store::clear_news(tx, workflow_id));
            continue;
        }
        Workflow workflow(stored->definition, stored->record);
        for (const JobEnd& end : ends_in(*stored)) {
            TRY_STATUS(carry_out(tx, stored->head, workflow, workflow.job_ended(end), news));
        }
        TRY_STATUS(workflow_store::save(tx, workflow_id, stored->record, workflow.record()));
        TRY_STATUS(workflow_store::clear_news(tx, workflow_id));
    }
    return news;
}

void WorkflowDriver::tell(const WorkflowNews& news) const {
    for (const auto& [job_id, job_type] : news.cancelled) {
        with_.counters.finished(job_type, protocol::JobStatus::kCancelled);
        with_.event_signal.notify(job_id);
    }
    for (const std::string& job_id : news.asked_to_stop) {
        with_.event_signal.notify(job_id);
    }
    for (const WorkflowNews::Started& job : news.started) {
        with_.counters.submitted(job.job_type);
        with_.pool_signal.notify(job.pool, 1);
    }
}

}  // namespace nexa::orchestration
