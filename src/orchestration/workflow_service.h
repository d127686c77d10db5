// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "core/run_manifest.h"
#include "core/value_node.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/workflow_driver.h"
#include "orchestration/workflow_store.h"
#include "protocol/workflow_views.h"

namespace nexa::orchestration {

/// A submission as it came over the border, already parsed: JSON or YAML.
struct WorkflowSubmission {
    ValueNode tree;
    std::string source;  ///< what to call it before a line's number; empty: without lines
    accounts::Principal principal;
    std::optional<std::string> idempotency_key;
};

struct WorkflowPage {
    std::vector<protocol::WorkflowSummary> workflows;
    bool has_more = false;
};

/// A workflow as the API shows it.
protocol::WorkflowView to_view(const StoredWorkflow& stored);

/// Stores and starts a workflow in the writer's transaction, or finds the one that the same request
/// made before. Literal inputs of its steps have to be there. Errors: kInvalidArgument and
/// kNotFound at the step's field, kConflict.
Result<WorkflowId> submit_workflow(
    db::Tx& tx, const WorkflowDriver& driver, const NewWorkflow& workflow, WorkflowNews& news
);

/// What users do with workflows. Thread-safe; collaborators outlive it.
class WorkflowService {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        const WorkflowDriver& driver;
        RunCode code;  ///< ours, for manifests
    };
    explicit WorkflowService(Collaborators with) : with_(std::move(with)) {}

    /// Checks and stores it and starts what can start; committed when it returns. The same
    /// idempotency key with the same request gives the workflow it made before. Errors: those of
    /// read_workflow() and submit_workflow().
    net::Task<protocol::WorkflowView> submit(WorkflowSubmission submission);

    /// Errors: kNotFound, also for another project's.
    net::Task<protocol::WorkflowView> get(WorkflowId workflow_id, accounts::Principal principal);
    net::Task<WorkflowPage> list(WorkflowFilter filter);
    /// Nothing new starts and its jobs are asked to stop. An ended one stays as it is.
    net::Task<protocol::WorkflowView> cancel(WorkflowId workflow_id, accounts::Principal principal);
    /// Errors: kNotFound (workflow, step), kConflict (it has not ended, or what comes before the
    /// step did not complete).
    net::Task<protocol::WorkflowView> rerun(
        WorkflowId workflow_id, std::string step, accounts::Principal principal
    );
    /// What there is to know about it: the definition, our code, every file that its jobs read from
    /// elsewhere and every file that they made, by hash. Grows until the workflow has ended.
    net::Task<RunManifest> manifest(WorkflowId workflow_id, accounts::Principal principal);

private:
    Collaborators with_;
};

}  // namespace nexa::orchestration
