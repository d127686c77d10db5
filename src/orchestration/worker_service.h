// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/clock.h"
#include "core/ids.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/worker_store.h"
#include "protocol/envelope.h"
#include "protocol/worker_messages.h"
#include "protocol/worker_views.h"

namespace nexa::orchestration {

/// Registers and lists workers. Thread-safe; collaborators outlive it.
class WorkerService {
public:
    WorkerService(Backend backend, IdSource& ids, const Clock& clock)
        : backend_(backend), ids_(ids), clock_(clock) {}

    /// Believes a signed registration and makes the worker part of the caller's project. The same
    /// key gets its old id. Errors: those of fleet::open_registration() and worker_store::add(),
    /// kInvalidArgument (a bad worker id).
    net::Task<Worker> add(protocol::Envelope envelope, accounts::Principal principal);

    /// Notes that the worker is there. Errors: kNotFound, also for another project's worker.
    net::Task<Worker> see(protocol::Heartbeat heartbeat, accounts::Principal principal);

    net::Task<std::vector<protocol::WorkerView>> list(accounts::Principal principal);

private:
    Backend backend_;
    IdSource& ids_;
    const Clock& clock_;
};

}  // namespace nexa::orchestration
