// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "core/log.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/schedule_store.h"
#include "orchestration/workflow_driver.h"
#include "protocol/schedule_views.h"

namespace nexa::orchestration {

struct SchedulePage {
    std::vector<protocol::ScheduleView> schedules;
    bool has_more = false;
};

/// Workflows that start by themselves, each time once, whichever servers run. Thread-safe;
/// collaborators outlive it.
class ScheduleService {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        const WorkflowDriver& driver;
    };
    explicit ScheduleService(Collaborators with) : with_(with) {}

    /// The same idempotency key gives the schedule that it made before. Errors: kInvalidArgument
    /// (cron, zone, workflow; a time that never comes).
    net::Task<protocol::ScheduleView> create(
        protocol::ScheduleSpec spec,
        accounts::Principal principal,
        std::optional<std::string> idempotency_key
    );
    /// Errors: kNotFound.
    net::Task<protocol::ScheduleView> get(ScheduleId schedule_id, accounts::Principal principal);
    net::Task<SchedulePage> list(
        std::optional<std::string> after, int limit, accounts::Principal principal
    );
    /// From now on it runs in the name of who changed it. Errors: those of create(), kNotFound.
    net::Task<protocol::ScheduleView> change(
        ScheduleId schedule_id, protocol::ScheduleChange change, accounts::Principal principal
    );
    /// What it has started goes on. Errors: kNotFound.
    net::Task<void> remove(ScheduleId schedule_id, accounts::Principal principal);
    /// Starts its workflow now, beside its times. Errors: kNotFound, those of a submission.
    net::Task<protocol::ScheduleView> run_now(
        ScheduleId schedule_id,
        accounts::Principal principal,
        std::optional<std::string> idempotency_key
    );

    /// Starts what is due, every second. Never ends by itself.
    net::Task<void> watch();

private:
    net::Task<void> run_due(ScheduleId schedule_id);

    Collaborators with_;
    Logger log_ = get_logger("orchestration.schedules");
};

/// What becomes of a schedule whose time has come: one call inside the writer's transaction, with
/// its note. Nothing if another coordinator has it. Errors: those of submit_workflow(); then it
/// starts nothing, and note_failed_run() says why.
Result<WorkflowNews> run_due_schedule(
    db::Tx& tx, const WorkflowDriver& driver, const ScheduleId& schedule_id, WorkflowId workflow_id
);
Status note_failed_run(db::Tx& tx, const ScheduleId& schedule_id, const Error& error);

}  // namespace nexa::orchestration
