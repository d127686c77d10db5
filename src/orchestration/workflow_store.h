// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"
#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "orchestration/workflow.h"

namespace nexa::orchestration {

struct WorkflowIdTag {
    static constexpr std::string_view kPrefix = "wf_";
};
using WorkflowId = Id<WorkflowIdTag>;

/// A workflow as submitted, checked and ready to be stored.
struct NewWorkflow {
    WorkflowId workflow_id;
    std::string tenant_id;
    std::string user_id;
    std::string key_id;
    WorkflowDefinition definition;
    std::optional<std::string> schedule_id;
    std::optional<std::string> idempotency_key;
    std::string request_sha256;  ///< of what the idempotency key stands for
};

/// A row, without its steps.
struct WorkflowHead {
    WorkflowId workflow_id;
    std::string tenant_id;
    std::string user_id;
    std::string key_id;
    std::optional<std::string> name;
    std::optional<std::string> template_name;
    std::optional<std::string> schedule_id;
    JsonText definition;
    WorkflowState state = WorkflowState::kRunning;
    bool cancel_requested = false;
    int run = 1;
    Timestamp created_at;
    Timestamp updated_at;
    std::optional<Timestamp> finished_at;
};

/// How the queue sees the job of a branch.
struct BranchJob {
    std::string state;  ///< of the queue; empty without a job
    bool started = false;
    std::optional<JsonText> error;
};

struct StoredWorkflow {
    WorkflowHead head;
    WorkflowDefinition definition;
    WorkflowRecord record;
    std::vector<std::vector<BranchJob>> jobs;  ///< beside the record's steps and branches
};

/// Which workflows a list shows.
struct WorkflowFilter {
    std::string tenant_id;
    std::optional<WorkflowState> state;
    std::optional<std::string> schedule_id;
    std::optional<std::string> after;  ///< the last id of the page before
    int limit = 20;
};

/// Workflows as rows. Every call is inside a transaction; the writing ones in the writer's.
namespace workflow_store {

/// Stores it with all steps blocked; nothing if its idempotency key was used before: then
/// find_earlier() tells by whom.
Result<bool> add(db::Tx& tx, const NewWorkflow& workflow);

/// The workflow that the same request made before. Errors: kInvalidArgument if its key came with
/// another request.
Result<std::optional<WorkflowId>> find_earlier(db::Tx& tx, const NewWorkflow& workflow);

/// Errors: kNotFound; also when it is another tenant's. `tenant_id` empty: any tenant's.
Result<StoredWorkflow> get(
    db::Tx& tx, const WorkflowId& workflow_id, const std::optional<std::string>& tenant_id
);

/// The row alone, which is from now on this transaction's only: whoever comes next sees what was
/// made of it. Errors: kNotFound.
Result<WorkflowHead> take(db::Tx& tx, const WorkflowId& workflow_id);

/// The steps of a row. Errors: what read_workflow() says of a definition that an older version
/// took and this one does not.
Result<StoredWorkflow> load(db::Tx& tx, WorkflowHead head);

/// Newest first, up to filter.limit + 1 rows, so that the caller sees whether there are more.
Result<std::vector<WorkflowHead>> list(db::Tx& tx, const WorkflowFilter& filter);

/// Writes what is new in `after`.
Status save(
    db::Tx& tx,
    const WorkflowId& workflow_id,
    const WorkflowRecord& before,
    const WorkflowRecord& after
);
/// Ends one whose definition cannot be read any more.
Status give_up(db::Tx& tx, const WorkflowHead& head);

/// The workflows that have to be told of a job's end. Telling one clears its news.
Result<std::vector<WorkflowId>> with_news(db::Tx& tx);
Status clear_news(db::Tx& tx, const WorkflowId& workflow_id);

}  // namespace workflow_store

}  // namespace nexa::orchestration
