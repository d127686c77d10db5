// SPDX-License-Identifier: Apache-2.0
#include "orchestration/schedule_service.h"

#include <utility>

#include <fmt/format.h>

#include "accounts/people_store.h"
#include "core/json.h"
#include "core/sha256.h"
#include "orchestration/schedule_times.h"
#include "orchestration/workflow_service.h"

namespace nexa::orchestration {

namespace {

using protocol::ScheduleView;

constexpr int kDueAtOnce = 100;
constexpr std::size_t kNextRunsShown = 5;

/// When a schedule runs, read.
struct Times {
    Cron cron;
    TimeZone zone;
};

Result<Times> times_of(const std::string& cron, const std::string& time_zone) {
    auto parsed = Cron::parse(cron);
    if (!parsed) {
        return std::move(parsed).error().at("cron");
    }
    auto zone = TimeZone::find(time_zone);
    if (!zone) {
        return std::move(zone).error().at("time_zone");
    }
    return Times{.cron = *std::move(parsed), .zone = *std::move(zone)};
}

/// Sets next_at; checks what was written. Errors: kInvalidArgument.
Status arrange(ScheduleRecord& schedule, Timestamp now) {
    TRY(const Times times, times_of(schedule.cron, schedule.time_zone));
    const auto next = next_after(times.cron, times.zone, now);
    if (!next) {
        return Error::invalid_argument("'{}' never comes", schedule.cron).at("cron");
    }
    schedule.next_at = schedule.paused ? std::nullopt : next;
    return {};
}

Result<JsonText> checked_workflow(const JsonText& workflow) {
    auto tree = parse_json(workflow.text);
    if (!tree) {
        return std::move(tree).error().at("workflow");
    }
    auto definition = read_workflow(*tree, "");
    if (!definition) {
        return std::move(definition).error().at("workflow");
    }
    return std::move(definition->text);
}

ScheduleView to_view(const ScheduleRecord& schedule) {
    const auto text = [](const std::optional<Timestamp>& at) {
        return at ? std::optional(to_rfc3339(*at)) : std::nullopt;
    };
    ScheduleView view{
        .schedule_id = schedule.schedule_id.text(),
        .name = schedule.name,
        .cron = schedule.cron,
        .time_zone = schedule.time_zone,
        .workflow = schedule.definition,
        .missed = schedule.missed,
        .overlap = schedule.overlap,
        .paused = schedule.paused,
        .user_id = schedule.user_id,
        .runs = schedule.runs,
        .last_run_at = text(schedule.last_at),
        .last_workflow_id = schedule.last_workflow_id,
        .last_note = schedule.last_note,
        .created_at = to_rfc3339(schedule.created_at),
        .updated_at = to_rfc3339(schedule.updated_at),
    };
    const auto times = times_of(schedule.cron, schedule.time_zone);
    std::optional<Timestamp> next = schedule.next_at;
    while (times && next && view.next_runs.size() < kNextRunsShown) {
        view.next_runs.push_back(to_rfc3339(*next));
        next = next_after(times->cron, times->zone, *next);
    }
    return view;
}

/// Why nothing may start in the name of who made it; empty if it may.
Result<std::string> why_not(db::Tx& tx, const ScheduleRecord& schedule) {
    using namespace accounts::people_store;
    TRY(const auto user, get_user(tx, schedule.user_id));
    if (user && user->status != "active") {
        return fmt::format("{} is disabled", user->name);
    }
    if (user && !user->is_admin) {
        TRY(const auto projects, projects_of(tx, schedule.user_id, schedule.tenant_id));
        if (projects.empty()) {
            return fmt::format("{} is no member any more", user->name);
        }
    }
    if (schedule.overlap == "skip" && schedule.last_workflow_id) {
        TRY(const bool runs, schedule_store::still_runs(tx, *schedule.last_workflow_id));
        if (runs) {
            return fmt::format("{} still runs", *schedule.last_workflow_id);
        }
    }
    return std::string();
}

Result<NewWorkflow> workflow_of(const ScheduleRecord& schedule, WorkflowId workflow_id) {
    TRY(WorkflowDefinition definition, read_workflow(schedule.definition));
    NewWorkflow workflow{
        .workflow_id = std::move(workflow_id),
        .tenant_id = schedule.tenant_id,
        .user_id = schedule.user_id,
        .key_id = schedule.key_id,
        .definition = std::move(definition),
        .schedule_id = schedule.schedule_id.text(),
        .idempotency_key = {},
    };
    workflow.request_sha256 = sha256(workflow.definition.text.text).hex();
    return workflow;
}

std::string note_of(const DueTimes& times) {
    return times.left_out == 0 ? std::string()
                               : fmt::format("{} earlier times were left out", times.left_out);
}

/// A schedule that is due, with what that means now.
struct Due {
    ScheduleRecord schedule;
    DueTimes times;
};

/// None if another coordinator has it.
Result<std::optional<Due>> take(db::Tx& tx, const ScheduleId& schedule_id) {
    TRY(auto schedule, schedule_store::take_due(tx, schedule_id));
    if (!schedule) {
        return std::optional<Due>();
    }
    Due due{.schedule = *std::move(schedule)};
    if (const auto times = times_of(due.schedule.cron, due.schedule.time_zone)) {
        due.times = due_times(
            times->cron, times->zone, due.schedule.missed, *due.schedule.next_at, tx.now()
        );
    }  // else its zone is gone from this machine: it waits for its owner
    return std::optional(std::move(due));
}

}  // namespace

Result<WorkflowNews> run_due_schedule(
    db::Tx& tx, const WorkflowDriver& driver, const ScheduleId& schedule_id, WorkflowId workflow_id
) {
    WorkflowNews news;
    TRY(const auto due, take(tx, schedule_id));
    if (!due) {
        return news;
    }
    ScheduleRun run{.next_at = due->times.next, .note = note_of(due->times)};
    if (due->times.run) {
        TRY(const std::string reason, why_not(tx, due->schedule));
        if (reason.empty()) {
            TRY(const NewWorkflow workflow, workflow_of(due->schedule, std::move(workflow_id)));
            TRY(const WorkflowId made, submit_workflow(tx, driver, workflow, news));
            run.at = due->times.run;
            run.workflow_id = made.text();
        } else {
            run.note = fmt::format("{}: {}", to_rfc3339(*due->times.run), reason);
        }
    }
    TRY_STATUS(schedule_store::note(tx, due->schedule, run));
    return news;
}

Status note_failed_run(db::Tx& tx, const ScheduleId& schedule_id, const Error& error) {
    TRY(const auto due, take(tx, schedule_id));
    if (!due) {
        return {};
    }
    const Timestamp at = due->times.run.value_or(*due->schedule.next_at);
    return schedule_store::note(
        tx,
        due->schedule,
        {
            .at = std::nullopt,
            .workflow_id = std::nullopt,
            .next_at = due->times.next,
            .note = fmt::format("{}: {}", to_rfc3339(at), error.to_string()),
        }
    );
}

net::Task<ScheduleView> ScheduleService::create(
    protocol::ScheduleSpec spec,
    accounts::Principal principal,
    std::optional<std::string> idempotency_key
) {
    ScheduleRecord schedule{
        .schedule_id = with_.ids.make<ScheduleId>(),
        .tenant_id = std::move(principal.project_id),
        .user_id = std::move(principal.user_id),
        .key_id = std::move(principal.key_id),
        .name = std::move(spec.name),
        .cron = std::move(spec.cron),
        .time_zone = std::move(spec.time_zone),
        .missed = std::move(spec.missed),
        .overlap = std::move(spec.overlap),
        .paused = spec.paused,
    };
    CO_TRY(schedule.definition, checked_workflow(spec.workflow));
    auto apply = [schedule = std::move(schedule),
                  key = std::move(idempotency_key)](db::Tx& tx) mutable -> Result<ScheduleView> {
        TRY_STATUS(arrange(schedule, tx.now()));
        TRY(const ScheduleId schedule_id, schedule_store::add(tx, schedule, key));
        TRY(const auto stored, schedule_store::get(tx, schedule_id, schedule.tenant_id));
        return to_view(stored);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<ScheduleView> ScheduleService::get(
    ScheduleId schedule_id, accounts::Principal principal
) {
    auto look_up = [schedule_id = std::move(schedule_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<ScheduleView> {
        TRY(const auto schedule, schedule_store::get(tx, schedule_id, tenant_id));
        return to_view(schedule);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<SchedulePage> ScheduleService::list(
    std::optional<std::string> after, int limit, accounts::Principal principal
) {
    auto look_up = [after = std::move(after), limit, tenant_id = std::move(principal.project_id)](
                       db::Tx& tx
                   ) -> Result<SchedulePage> {
        TRY(const auto found, schedule_store::list(tx, tenant_id, after, limit));
        SchedulePage page{.has_more = found.size() > static_cast<std::size_t>(limit)};
        const std::size_t count = page.has_more ? found.size() - 1 : found.size();
        for (std::size_t i = 0; i < count; ++i) {
            page.schedules.push_back(to_view(found[i]));
        }
        return page;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<ScheduleView> ScheduleService::change(
    ScheduleId schedule_id, protocol::ScheduleChange change, accounts::Principal principal
) {
    if (change.workflow) {
        CO_TRY(change.workflow, checked_workflow(*change.workflow));
    }
    auto apply = [schedule_id = std::move(schedule_id),
                  change = std::move(change),
                  principal = std::move(principal)](db::Tx& tx) -> Result<ScheduleView> {
        TRY(ScheduleRecord schedule, schedule_store::get(tx, schedule_id, principal.project_id));
        schedule.name = change.name ? change.name : schedule.name;
        schedule.cron = change.cron.value_or(schedule.cron);
        schedule.time_zone = change.time_zone.value_or(schedule.time_zone);
        schedule.definition = change.workflow.value_or(schedule.definition);
        schedule.missed = change.missed.value_or(schedule.missed);
        schedule.overlap = change.overlap.value_or(schedule.overlap);
        schedule.paused = change.paused.value_or(schedule.paused);
        schedule.user_id = principal.user_id;
        schedule.key_id = principal.key_id;
        TRY_STATUS(arrange(schedule, tx.now()));
        TRY_STATUS(schedule_store::put(tx, schedule));
        TRY(const auto stored, schedule_store::get(tx, schedule_id, principal.project_id));
        return to_view(stored);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<void> ScheduleService::remove(ScheduleId schedule_id, accounts::Principal principal) {
    auto apply = [schedule_id = std::move(schedule_id),
                  tenant_id = std::move(principal.project_id)](db::Tx& tx) {
        return schedule_store::remove(tx, schedule_id, tenant_id);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<ScheduleView> ScheduleService::run_now(
    ScheduleId schedule_id,
    accounts::Principal principal,
    std::optional<std::string> idempotency_key
) {
    using Started = std::pair<ScheduleView, WorkflowNews>;
    auto apply = [schedule_id = std::move(schedule_id),
                  workflow_id = with_.ids.make<WorkflowId>(),
                  principal = std::move(principal),
                  key = std::move(idempotency_key),
                  &driver = with_.driver](db::Tx& tx) -> Result<Started> {
        TRY(ScheduleRecord schedule, schedule_store::get(tx, schedule_id, principal.project_id));
        // Who says so now, not who made it.
        schedule.user_id = principal.user_id;
        schedule.key_id = principal.key_id;
        TRY(NewWorkflow workflow, workflow_of(schedule, workflow_id));
        workflow.idempotency_key = key;
        Started started;
        TRY(const WorkflowId made, submit_workflow(tx, driver, workflow, started.second));
        if (made != workflow_id) {  // an answer that was lost, asked for again
            started.first = to_view(schedule);
            return started;
        }
        TRY_STATUS(schedule_store::note_extra(tx, schedule_id, made.text()));
        TRY(const auto stored, schedule_store::get(tx, schedule_id, principal.project_id));
        started.first = to_view(stored);
        return started;
    };
    CO_TRY(Started started, co_await with_.backend.write(std::move(apply)));
    with_.driver.tell(started.second);
    co_return std::move(started.first);
}

net::Task<void> ScheduleService::run_due(ScheduleId schedule_id) {
    auto run = [&driver = with_.driver, schedule_id, workflow_id = with_.ids.make<WorkflowId>()](
                   db::Tx& tx
               ) { return run_due_schedule(tx, driver, schedule_id, workflow_id); };
    const auto news = co_await with_.backend.write(std::move(run));
    if (news) {
        with_.driver.tell(*news);
        co_return Status();
    }
    const bool is_ours =
        news.error().code == ErrorCode::kUnavailable ||
        (news.error().code == ErrorCode::kResourceExhausted && news.error().param != "budget");
    if (is_ours) {
        co_return news.error();  // the disk or a full queue, not the schedule: it stays due
    }
    log_.warning(
        "a schedule could not start its workflow",
        {{"schedule_id", schedule_id.text()}, {"error", news.error().to_string()}}
    );
    auto note = [schedule_id, error = news.error()](db::Tx& tx) {
        return note_failed_run(tx, schedule_id, error);
    };
    co_return co_await with_.backend.write(std::move(note));
}

net::Task<void> ScheduleService::watch() {
    while (true) {
        CO_TRY_STATUS(co_await net::sleep_for(std::chrono::seconds(1)));
        auto look = [](db::Tx& tx) { return schedule_store::due(tx, kDueAtOnce); };
        const auto due = co_await with_.backend.read(std::move(look));
        if (!due) {
            continue;  // tried again in a second
        }
        for (const ScheduleId& schedule_id : *due) {
            static_cast<void>(co_await run_due(schedule_id));
        }
    }
}

}  // namespace nexa::orchestration
