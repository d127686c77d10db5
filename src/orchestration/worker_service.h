// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/clock.h"
#include "core/ids.h"
#include "net/signal.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/job_counters.h"
#include "orchestration/worker_store.h"
#include "orchestration/workflow_driver.h"
#include "protocol/envelope.h"
#include "protocol/worker_messages.h"
#include "protocol/worker_views.h"

namespace nexa::orchestration {

/// What an operator may order of a worker.
enum class WorkerChange {
    kCordon,    ///< it gets no more jobs; those it holds go on
    kUncordon,  ///< it gets jobs again
    kDrain,   ///< it takes no more jobs, finishes those it holds, and ends; started anew it is back
    kRemove,  ///< nothing it says counts any more, and its jobs go back to the queue at once
};

/// Registers, lists and orders workers. Thread-safe; collaborators outlive it.
class WorkerService {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        const Clock& clock;
        net::Signal& pool_signal;   ///< by pool: a job can be claimed, or a worker has orders
        net::Signal& event_signal;  ///< by job: something happened to it
        JobCounters counters;
        const WorkflowDriver& workflows;
    };
    explicit WorkerService(Collaborators with) : with_(with) {}

    /// Believes a signed registration and makes the worker part of the caller's project. The same
    /// key gets its old id. Errors: those of fleet::open_registration() and worker_store::add(),
    /// kInvalidArgument (a bad worker id).
    net::Task<Worker> add(protocol::Envelope envelope, accounts::Principal principal);

    /// Notes that the worker is there, and what it says of itself. One that is well again is looked
    /// for work at once. Errors: kNotFound, also for another project's worker.
    net::Task<Worker> see(protocol::Heartbeat heartbeat, accounts::Principal principal);

    /// Jobs of other projects are shown with a worker only to who may order workers about.
    net::Task<std::vector<protocol::WorkerView>> list(accounts::Principal principal);
    /// Errors: kNotFound, also for another project's worker.
    net::Task<protocol::WorkerView> get(std::string worker_id, accounts::Principal principal);

    /// Orders it and shows the worker as it is then. Repeatable, but for a removal, which is final.
    /// Errors: those of worker_store::change().
    net::Task<protocol::WorkerView> change(
        std::string worker_id, WorkerChange change, accounts::Principal principal
    );

private:
    Collaborators with_;
};

}  // namespace nexa::orchestration
