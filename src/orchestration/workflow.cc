// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "core/near_name.h"
#include "core/utf8.h"
#include "orchestration/workflow_spec_check_internal.h"

namespace nexa::orchestration {

namespace {

using Kind = ValueNode::Kind;

constexpr std::array<std::string_view, 6> kStepStates{
    "blocked", "running", "completed", "failed", "skipped", "cancelled"
};
constexpr std::array<std::string_view, 4> kWorkflowStates{
    "running", "completed", "failed", "cancelled"
};

template <class State, std::size_t N>
std::optional<State> state_from(
    std::string_view name, const std::array<std::string_view, N>& names
) {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt
                                : std::optional(static_cast<State>(found - names.begin()));
}

ValueNode text_value(std::string_view text) {
    return {.kind = Kind::kString, .text = std::string(text)};
}
ValueNode bool_value(bool value) {
    return {.kind = Kind::kBool, .text = value ? "true" : "false"};
}

bool has_branch(const StepRecord& step, StepState state) {
    return std::ranges::find(step.branches, state, &BranchRecord::state) != step.branches.end();
}

/// What has a job is asked to stop, what has none yet gets none.
void stop_branches(StepRecord& step, std::vector<WorkflowAction>& actions) {
    for (BranchRecord& branch : step.branches) {
        if (branch.state == StepState::kRunning && branch.job_id.empty()) {
            branch.state = StepState::kCancelled;
        } else if (branch.state == StepState::kRunning) {
            actions.emplace_back(CancelJob{branch.job_id});
        }
    }
}

}  // namespace

std::string_view to_string(StepState state) {
    return kStepStates.at(static_cast<std::size_t>(state));
}
std::string_view to_string(WorkflowState state) {
    return kWorkflowStates.at(static_cast<std::size_t>(state));
}
std::optional<StepState> step_state_from(std::string_view name) {
    return state_from<StepState>(name, kStepStates);
}
std::optional<WorkflowState> workflow_state_from(std::string_view name) {
    return state_from<WorkflowState>(name, kWorkflowStates);
}

Workflow::Workflow(const WorkflowDefinition& definition, WorkflowRecord record)
    : definition_(definition), record_(std::move(record)) {
    record_.steps.resize(definition_.steps.size());
}

ValueNode Workflow::outputs(std::size_t step) const {
    const std::vector<BranchRecord>& branches = record_.steps[step].branches;
    if (branches.empty()) {
        return {};
    }
    if (definition_.steps[step].matrix.empty()) {
        return branches.front().result;
    }
    ValueNode whole{.kind = Kind::kObject};
    for (const BranchRecord& branch : branches) {
        for (const std::string& key : branch.result.keys) {
            if (whole.find(key) == nullptr) {
                whole.keys.push_back(key);
                whole.items.push_back({.kind = Kind::kArray});
            }
        }
    }
    for (std::size_t i = 0; i < whole.keys.size(); ++i) {
        for (const BranchRecord& branch : branches) {
            const ValueNode* value = branch.result.find(whole.keys[i]);
            whole.items[i].items.push_back(value != nullptr ? *value : ValueNode{});
        }
    }
    return whole;
}

/// Everything is known by the time a step is judged: what it refers to has ended.
std::optional<ValueNode> Workflow::look_up(
    const ReferencePath& path, std::size_t step, const ValueNode* matrix
) const {
    const std::string& root = path.front();
    if (root == "inputs") {
        return value_at(definition_.inputs, path, 1);
    }
    if (root == "matrix") {
        return matrix != nullptr ? value_at(*matrix, path, 1) : ValueNode{};
    }
    if (root == "always()") {
        return bool_value(true);
    }
    if (root == "failure()") {
        return bool_value(has_failed_before(step));
    }
    if (root == "success()") {
        return bool_value(std::ranges::all_of(
            definition_.steps[step].needs, [this](std::size_t need) { return is_good(need); }
        ));
    }
    const auto other = path.size() > 2 ? definition_.find(path[1]) : std::nullopt;
    if (!other) {
        return ValueNode{};
    }
    const StepRecord& record = record_.steps[*other];
    if (path[2] == "outputs") {
        return value_at(outputs(*other), path, 3);
    }
    if (path[2] == "status") {
        return text_value(to_string(record.state));
    }
    return record.branches.empty() ? ValueNode{} : text_value(record.branches.front().job_id);
}

bool Workflow::is_good(std::size_t step) const {
    const StepState state = record_.steps[step].state;
    return state == StepState::kCompleted ||
           (state == StepState::kFailed && !definition_.steps[step].stops_on_failure);
}

bool Workflow::has_failed_before(std::size_t step) const {
    // Once for each step, in their order: a chain of diamonds has more paths than can be walked.
    std::vector<bool> failed(step + 1, false);
    for (std::size_t i = 0; i <= step; ++i) {
        const StepState state = record_.steps[i].state;
        const bool is_bad = state == StepState::kFailed || state == StepState::kCancelled;
        failed[i] = (is_bad && !is_good(i)) ||
                    std::ranges::any_of(definition_.steps[i].needs, [&](std::size_t need) {
                        return failed[need];
                    });
    }
    return failed[step];
}

Result<Workflow::Verdict> Workflow::judge(std::size_t step, std::string& reason) const {
    const StepDefinition& definition = definition_.steps[step];
    if (record_.cancel_requested) {
        return Verdict::kCancel;
    }
    if (!definition.condition || !definition.condition->expression.asks_for_status()) {
        for (const std::size_t need : definition.needs) {
            const StepState before = record_.steps[need].state;
            if (is_final(before) && !is_good(need)) {
                reason = fmt::format(
                    "step '{}', which it needs, is {}",
                    definition_.steps[need].name,
                    to_string(before)
                );
                return Verdict::kSkip;
            }
        }
    }
    for (const std::size_t need : definition.needs) {
        if (!is_final(record_.steps[need].state)) {
            return Verdict::kWait;
        }
    }
    if (!definition.condition) {
        return Verdict::kStart;
    }
    const Lookup lookup = [&](const ReferencePath& path) { return look_up(path, step, nullptr); };
    auto holds = known(definition.condition->expression.evaluate(lookup));
    if (!holds) {
        return std::move(holds).error().at("if");
    }
    if (is_true(*holds)) {
        return Verdict::kStart;
    }
    reason = fmt::format("its condition does not hold: {}", definition.condition->text);
    return Verdict::kSkip;
}

Result<std::vector<ValueNode>> Workflow::combinations(std::size_t step) const {
    const StepDefinition& definition = definition_.steps[step];
    if (definition.matrix.empty()) {
        return std::vector<ValueNode>(1);
    }
    const Lookup lookup = [&](const ReferencePath& path) { return look_up(path, step, nullptr); };
    std::vector<ValueNode> made{{.kind = Kind::kObject}};
    for (const auto& [name, given] : definition.matrix) {
        auto values = known(substitute(given, lookup));
        if (!values) {
            return std::move(values).error().at(name).at("matrix");
        }
        if (values->kind != Kind::kArray) {
            return Error::invalid_argument("must be a list").at(name).at("matrix");
        }
        if (made.size() * values->items.size() > kWorkflowBranchesMax) {
            return Error::invalid_argument("makes more than {} jobs", kWorkflowBranchesMax)
                .at("matrix");
        }
        std::vector<ValueNode> more;
        for (const ValueNode& so_far : made) {
            for (const ValueNode& value : values->items) {
                more.push_back(so_far);
                more.back().keys.push_back(name);
                more.back().items.push_back(settled(value));
            }
        }
        made = std::move(more);
    }
    return made;
}

Status Workflow::begin(std::size_t step, Actions& actions) {
    TRY(std::vector<ValueNode> matrices, combinations(step));
    std::vector<StartJob> starts;
    StepRecord& record = record_.steps[step];
    record.branches.clear();
    for (ValueNode& matrix : matrices) {
        const Lookup lookup = [&](const ReferencePath& path) {
            return look_up(path, step, &matrix);
        };
        auto payload = payload_of(definition_.steps[step], lookup);
        if (!payload) {
            return std::move(payload).error().at("spec");
        }
        starts.push_back(
            {.step = step, .branch = starts.size(), .payload = *std::move(payload), .retry_of = {}}
        );
    }
    record.state = StepState::kRunning;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        record.branches.push_back({.matrix = std::move(matrices[i])});
        actions.emplace_back(std::move(starts[i]));
    }
    end_if_all_ended(step);  // an empty list has nothing to wait for
    return {};
}

void Workflow::settle(std::size_t step, Actions& actions) {
    StepRecord& record = record_.steps[step];
    if (record.state != StepState::kBlocked) {
        return;
    }
    std::string reason;
    const auto verdict = judge(step, reason);
    Status done = verdict ? Status() : Status(verdict.error());
    if (verdict && *verdict == Verdict::kStart) {
        done = begin(step, actions);
    } else if (verdict && *verdict != Verdict::kWait) {
        const bool skipped = *verdict == Verdict::kSkip;
        record.state = skipped ? StepState::kSkipped : StepState::kCancelled;
        record.reason = std::move(reason);
    }
    if (!done) {
        record.branches.clear();
        record.state = StepState::kFailed;
        record.reason = done.error().to_string();
    }
}

Workflow::Actions Workflow::advance() {
    Actions actions;
    if (record_.state != WorkflowState::kRunning) {
        return actions;
    }
    // Each step stands behind those that it needs, so one pass sees every consequence.
    for (std::size_t step = 0; step < record_.steps.size(); ++step) {
        settle(step, actions);
    }
    end_workflow();
    return actions;
}

void Workflow::end_workflow() {
    bool has_failed = false;
    bool was_cancelled = false;
    for (std::size_t step = 0; step < record_.steps.size(); ++step) {
        const StepState state = record_.steps[step].state;
        if (!is_final(state)) {
            return;
        }
        const bool is_bad = state == StepState::kFailed || state == StepState::kCancelled;
        has_failed = has_failed || (is_bad && !is_good(step));
        was_cancelled = was_cancelled || (state == StepState::kCancelled);
    }
    if (record_.cancel_requested && was_cancelled) {
        record_.state = WorkflowState::kCancelled;
    } else {
        record_.state = has_failed ? WorkflowState::kFailed : WorkflowState::kCompleted;
    }
}

void Workflow::end_if_all_ended(std::size_t step) {
    StepRecord& record = record_.steps[step];
    const auto any = [&](StepState state) { return has_branch(record, state); };
    if (any(StepState::kRunning)) {
        return;
    }
    // One that failed made the others stop: that is the news.
    if (any(StepState::kFailed)) {
        record.state = StepState::kFailed;
    } else if (any(StepState::kCancelled)) {
        record.state = StepState::kCancelled;
    } else {
        record.state = StepState::kCompleted;
    }
}

void Workflow::fail(std::size_t step, std::size_t branch, std::string reason, Actions& actions) {
    StepRecord& record = record_.steps[step];
    record.branches[branch].state = StepState::kFailed;
    if (record.reason.empty()) {
        record.reason = std::move(reason);
    }
    if (definition_.steps[step].stops_on_failure) {
        stop_branches(record, actions);
    }
    end_if_all_ended(step);
}

void Workflow::try_again(std::size_t step, std::size_t branch, Actions& actions) {
    BranchRecord& record = record_.steps[step].branches[branch];
    const ValueNode& matrix = record.matrix;
    auto payload = payload_of(definition_.steps[step], [&](const ReferencePath& path) {
        return look_up(path, step, &matrix);
    });
    if (!payload) {  // good for the job before, and not for this version of ours
        return fail(step, branch, std::move(payload).error().at("spec").to_string(), actions);
    }
    const std::string before = std::exchange(record.job_id, {});
    actions.emplace_back(StartJob{step, branch, *std::move(payload), before});
}

Workflow::Actions Workflow::job_ended(const JobEnd& end) {
    NEXA_CHECK(is_final(end.state));
    for (std::size_t step = 0; step < record_.steps.size(); ++step) {
        StepRecord& record = record_.steps[step];
        const auto found = std::ranges::find(record.branches, end.job_id, &BranchRecord::job_id);
        if (found == record.branches.end() || is_final(found->state)) {
            continue;
        }
        Actions actions;
        const auto branch = static_cast<std::size_t>(found - record.branches.begin());
        const bool is_stopping =
            record_.cancel_requested ||
            (definition_.steps[step].stops_on_failure && has_branch(record, StepState::kFailed));
        if (end.state == StepState::kCompleted) {
            found->state = StepState::kCompleted;
            found->result = end.result;
            end_if_all_ended(step);
        } else if (end.state == StepState::kCancelled) {
            found->state = StepState::kCancelled;
            if (record.reason.empty()) {
                record.reason = fmt::format("job {} was cancelled", end.job_id);
            }
            end_if_all_ended(step);
        } else if (found->tries <= definition_.steps[step].retries && !is_stopping) {
            try_again(step, branch, actions);
        } else {
            fail(step, branch, end.error, actions);
        }
        Actions more = advance();
        std::ranges::move(more, std::back_inserter(actions));
        return actions;
    }
    return {};
}

bool Workflow::wants(const StartJob& start) const {
    const std::vector<BranchRecord>& branches = record_.steps.at(start.step).branches;
    return start.branch < branches.size() && branches[start.branch].state == StepState::kRunning &&
           branches[start.branch].job_id.empty();
}

void Workflow::job_started(std::size_t step, std::size_t branch, std::string job_id) {
    BranchRecord& record = record_.steps.at(step).branches.at(branch);
    record.job_id = std::move(job_id);
    ++record.tries;
}

Workflow::Actions Workflow::start_refused(
    std::size_t step, std::size_t branch, const Error& error
) {
    Actions actions;
    fail(step, branch, error.to_string(), actions);
    Actions more = advance();
    std::ranges::move(more, std::back_inserter(actions));
    return actions;
}

Workflow::Actions Workflow::cancel() {
    if (record_.state != WorkflowState::kRunning) {
        return {};
    }
    record_.cancel_requested = true;
    Actions actions;
    for (StepRecord& step : record_.steps) {
        stop_branches(step, actions);
    }
    advance();  // starts nothing any more
    return actions;
}

Result<Workflow::Actions> Workflow::rerun_from(std::string_view step) {
    const auto from = definition_.find(step);
    if (!from) {
        std::vector<std::string_view> names;
        names.reserve(definition_.steps.size());
        for (const StepDefinition& known : definition_.steps) {
            names.push_back(known.name);
        }
        const auto near = nearest(step, names);
        return Error::not_found("there is no step '{}'", quotable(step))
            .at("from")
            .hint(
                near ? fmt::format("did you mean '{}'?", *near)
                     : fmt::format("there are {}", fmt::join(names, ", "))
            );
    }
    if (record_.state == WorkflowState::kRunning) {
        return Error::conflict("the workflow has not ended").hint("cancel it, or wait for its end");
    }
    std::vector<bool> again(record_.steps.size(), false);
    again[*from] = true;
    for (std::size_t i = *from + 1; i < again.size(); ++i) {
        again[i] = std::ranges::any_of(definition_.steps[i].needs, [&](std::size_t need) {
            return again[need];
        });
    }
    for (std::size_t i = 0; i < again.size(); ++i) {
        for (const std::size_t need : definition_.steps[i].needs) {
            const StepState before = record_.steps[need].state;
            const bool has_ended_well = is_good(need) || before == StepState::kSkipped;
            if (again[i] && !again[need] && !has_ended_well) {
                return Error::conflict(
                           "step '{}', which '{}' needs, is {}",
                           definition_.steps[need].name,
                           definition_.steps[i].name,
                           to_string(before)
                )
                    .hint(fmt::format("rerun from '{}'", definition_.steps[need].name));
            }
        }
    }
    for (std::size_t i = 0; i < again.size(); ++i) {
        if (again[i]) {
            record_.steps[i] = {};
        }
    }
    record_.state = WorkflowState::kRunning;
    record_.cancel_requested = false;
    ++record_.run;
    return advance();
}

}  // namespace nexa::orchestration
