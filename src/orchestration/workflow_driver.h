// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/log.h"
#include "core/result.h"
#include "db/tx.h"
#include "net/signal.h"
#include "orchestration/job_counters.h"
#include "orchestration/workflow_store.h"

namespace nexa::orchestration {

/// What a transaction did to the jobs of workflows: to be told once it is committed.
struct WorkflowNews {
    struct Started {
        std::string job_type;
        std::string pool;
    };
    std::vector<Started> started;
    std::vector<std::pair<std::string, std::string>> cancelled;  ///< job id and type, at once
    std::vector<std::string> asked_to_stop;                      ///< job ids
};

/// Carries out what Workflow decides, inside the transaction in which something happened to its
/// jobs: a step's job is in the queue with the commit that took in the result before it, and with
/// no other. Thread-safe; collaborators outlive it.
class WorkflowDriver {
public:
    struct Collaborators {
        IdSource& ids;
        net::Signal& pool_signal;   ///< by pool: a job can be claimed
        net::Signal& event_signal;  ///< by job id: it has news
        const JobCounters& counters;
    };
    /// `regions` can be deployed to whether or not a gateway of theirs was ever heard of.
    explicit WorkflowDriver(Collaborators with, std::vector<std::string> regions = {})
        : with_(with), regions_(std::move(regions)) {}

    /// Tells every workflow of its jobs that ended and makes what follows. Called at the end of
    /// each transaction that may have ended a job; whatever one forgot the next does. A workflow
    /// that cannot go on fails; it is never an error of the caller's.
    Result<WorkflowNews> advance(db::Tx& tx) const;

    /// Starts a stored workflow, cancels one, runs one again; then as advance().
    Status begin(db::Tx& tx, const WorkflowId& workflow_id, WorkflowNews& news) const;
    /// Errors: kNotFound.
    Status cancel(db::Tx& tx, const WorkflowId& workflow_id, WorkflowNews& news) const;
    /// Errors: those of Workflow::rerun_from().
    Status rerun(
        db::Tx& tx, const WorkflowId& workflow_id, std::string_view step, WorkflowNews& news
    ) const;

    /// Wakes who waits for it. To be called after the commit.
    void tell(const WorkflowNews& news) const;

private:
    Status carry_out(
        db::Tx& tx,
        const WorkflowHead& head,
        Workflow& workflow,
        Workflow::Actions actions,
        WorkflowNews& news
    ) const;
    Result<Workflow::Actions> start(
        db::Tx& tx,
        const WorkflowHead& head,
        Workflow& workflow,
        const StartJob& start,
        WorkflowNews& news
    ) const;

    Collaborators with_;
    std::vector<std::string> regions_;
    Logger log_ = get_logger("orchestration.workflows");
};

}  // namespace nexa::orchestration
