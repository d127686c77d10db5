// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "orchestration/workflow_definition.h"

namespace nexa::orchestration {

/// How a step, or one of its jobs, stands.
enum class StepState : std::uint8_t {
    kBlocked,  ///< waits for the steps before it
    kRunning,  ///< its jobs are in the queue or in a worker's hands
    kCompleted,
    kFailed,
    kSkipped,
    kCancelled,
};

enum class WorkflowState : std::uint8_t { kRunning, kCompleted, kFailed, kCancelled };

std::string_view to_string(StepState state);
std::string_view to_string(WorkflowState state);
std::optional<StepState> step_state_from(std::string_view name);
std::optional<WorkflowState> workflow_state_from(std::string_view name);
constexpr bool is_final(StepState state) {
    return state != StepState::kBlocked && state != StepState::kRunning;
}

/// One job of a step: one combination of its matrix, or the only one.
struct BranchRecord {
    StepState state = StepState::kRunning;
    ValueNode matrix;    ///< an object; null without a matrix
    std::string job_id;  ///< the newest; empty until it is started
    int tries = 0;       ///< jobs made for it
    ValueNode result;    ///< of the completed job; null before
};

struct StepRecord {
    StepState state = StepState::kBlocked;
    std::string reason;  ///< why it was skipped, failed or cancelled; for people
    std::vector<BranchRecord> branches;
};

/// All that is to be remembered of a workflow beside its definition.
struct WorkflowRecord {
    WorkflowState state = WorkflowState::kRunning;
    bool cancel_requested = false;
    int run = 1;                    ///< rises with each rerun
    std::vector<StepRecord> steps;  ///< beside the definition's
};

/// A job is to be made and told of by job_started() or start_refused().
struct StartJob {
    std::size_t step = 0;
    std::size_t branch = 0;
    JsonText payload;      ///< canonical
    std::string retry_of;  ///< the job it replaces; may be empty
};
struct CancelJob {
    std::string job_id;
};
using WorkflowAction = std::variant<StartJob, CancelJob>;

/// A job of the workflow will not run again.
struct JobEnd {
    std::string job_id;
    StepState state = StepState::kCompleted;  ///< kCompleted, kFailed or kCancelled
    ValueNode result;
    std::string error;
};

/// What happens next in a workflow. A step starts when all that it needs has ended: if they
/// completed (or failed and may), and its condition holds. One that fails is tried again as often
/// as it may be; then what needs it is skipped, and the workflow fails, unless the step's failure
/// does not matter. The others go on.
///
/// No clock, no thread, no socket, no database: events in, actions out. The caller carries out the
/// actions in their order and keeps the record. Not thread-safe; `definition` outlives it.
class Workflow {
public:
    using Actions = std::vector<WorkflowAction>;

    /// `record` is empty for a workflow that begins.
    Workflow(const WorkflowDefinition& definition, WorkflowRecord record);

    /// Starts what can start. Changes nothing where nothing can.
    Actions advance();
    /// A job of an earlier run, or one told of before, changes nothing.
    Actions job_ended(const JobEnd& end);
    /// False once a start is overtaken: another job of its step could not be made.
    bool wants(const StartJob& start) const;
    void job_started(std::size_t step, std::size_t branch, std::string job_id);
    /// The job cannot be made: its step fails, without another try.
    Actions start_refused(std::size_t step, std::size_t branch, const Error& error);
    /// Nothing new starts, and what runs is asked to stop.
    Actions cancel();
    /// The step and all that need it run again; those before keep their outputs. Errors:
    /// kConflict (it has not ended, or a step before it did not complete), kNotFound (no such
    /// step).
    Result<Actions> rerun_from(std::string_view step);

    const WorkflowRecord& record() const { return record_; }
    const WorkflowDefinition& definition() const { return definition_; }

    /// The outputs of a step: its job's result, or by field a list of its jobs' values.
    ValueNode outputs(std::size_t step) const;

private:
    enum class Verdict : std::uint8_t { kWait, kStart, kSkip, kCancel };

    std::optional<ValueNode> look_up(
        const ReferencePath& path, std::size_t step, const ValueNode* matrix
    ) const;
    bool is_good(std::size_t step) const;
    bool has_failed_before(std::size_t step) const;
    Result<Verdict> judge(std::size_t step, std::string& reason) const;
    void settle(std::size_t step, Actions& actions);
    Status begin(std::size_t step, Actions& actions);
    Result<std::vector<ValueNode>> combinations(std::size_t step) const;
    void try_again(std::size_t step, std::size_t branch, Actions& actions);
    void fail(std::size_t step, std::size_t branch, std::string reason, Actions& actions);
    void end_if_all_ended(std::size_t step);
    void end_workflow();

    const WorkflowDefinition& definition_;
    WorkflowRecord record_;
};

}  // namespace nexa::orchestration
