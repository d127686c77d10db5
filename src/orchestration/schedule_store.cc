// SPDX-License-Identifier: Apache-2.0
#include "orchestration/schedule_store.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration::schedule_store {

namespace {

Result<ScheduleRecord> schedule_from(const db::Row& row) {
    TRY(ScheduleId schedule_id, ScheduleId::parse(row.text("id")));
    return ScheduleRecord{
        .schedule_id = std::move(schedule_id),
        .tenant_id = row.text("tenant_id"),
        .user_id = row.text("user_id"),
        .key_id = row.text("key_id"),
        .name = row.optional_text("name"),
        .cron = row.text("cron"),
        .time_zone = row.text("time_zone"),
        .definition = {row.text("definition")},
        .missed = row.text("missed"),
        .overlap = row.text("overlap"),
        .paused = row.boolean("paused"),
        .next_at = row.optional_timestamp("next_at"),
        .runs = row.int64("runs"),
        .last_at = row.optional_timestamp("last_at"),
        .last_workflow_id = row.optional_text("last_workflow_id"),
        .last_note = row.text("last_note"),
        .created_at = row.timestamp("created_at"),
        .updated_at = row.timestamp("updated_at"),
    };
}

std::vector<db::Param> params_of(const ScheduleRecord& schedule) {
    return {
        {"schedule_id", schedule.schedule_id},
        {"tenant_id", schedule.tenant_id},
        {"user_id", schedule.user_id},
        {"key_id", schedule.key_id},
        {"name", schedule.name},
        {"cron", schedule.cron},
        {"time_zone", schedule.time_zone},
        {"definition", schedule.definition.text},
        {"missed", schedule.missed},
        {"overlap", schedule.overlap},
        {"paused", schedule.paused},
        {"next_at", schedule.next_at},
    };
}

Error not_there(const ScheduleId& schedule_id) {
    return Error::not_found("there is no schedule {}", schedule_id.text()).at("schedule_id");
}

}  // namespace

Result<ScheduleId> add(
    db::Tx& tx, const ScheduleRecord& schedule, const std::optional<std::string>& idempotency_key
) {
    TRY_STATUS(tx.execute(sql::kEnsureTenant, {{"tenant_id", schedule.tenant_id}}));
    std::vector<db::Param> params = params_of(schedule);
    params.push_back({"idempotency_key", idempotency_key});
    TRY(auto row, tx.query_one(sql::kAddSchedule, params));
    if (!row) {
        TRY(row,
            tx.query_one(
                sql::kFindScheduleKey,
                {{"tenant_id", schedule.tenant_id}, {"idempotency_key", idempotency_key}}
            ));
    }
    return row ? ScheduleId::parse(row->text("id"))
               : Error::unavailable("the schedule could not be stored").hint("try again");
}

Result<ScheduleRecord> get(
    db::Tx& tx, const ScheduleId& schedule_id, const std::string& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetSchedule, {{"schedule_id", schedule_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return not_there(schedule_id);
    }
    return schedule_from(*row);
}

Result<std::vector<ScheduleRecord>> list(
    db::Tx& tx, const std::string& tenant_id, const std::optional<std::string>& after, int limit
) {
    TRY(const auto rows,
        tx.query(
            sql::kListSchedules, {{"tenant_id", tenant_id}, {"after", after}, {"limit", limit + 1}}
        ));
    std::vector<ScheduleRecord> schedules;
    for (const db::Row& row : rows) {
        TRY(ScheduleRecord schedule, schedule_from(row));
        schedules.push_back(std::move(schedule));
    }
    return schedules;
}

Status put(db::Tx& tx, const ScheduleRecord& schedule) {
    TRY_STATUS(tx.execute(sql::kPutSchedule, params_of(schedule)));
    return {};
}

Status remove(db::Tx& tx, const ScheduleId& schedule_id, const std::string& tenant_id) {
    TRY(const std::int64_t removed,
        tx.execute(sql::kDeleteSchedule, {{"schedule_id", schedule_id}, {"tenant_id", tenant_id}}));
    return removed == 1 ? Status() : not_there(schedule_id);
}

Result<std::vector<ScheduleId>> due(db::Tx& tx, int limit) {
    TRY(const auto rows, tx.query(sql::kListDueSchedules, {{"limit", limit}}));
    std::vector<ScheduleId> ids;
    for (const db::Row& row : rows) {
        TRY(ScheduleId schedule_id, ScheduleId::parse(row.text("id")));
        ids.push_back(std::move(schedule_id));
    }
    return ids;
}

Result<std::optional<ScheduleRecord>> take_due(db::Tx& tx, const ScheduleId& schedule_id) {
    TRY(const auto row, tx.query_one(sql::kTakeDueSchedule, {{"schedule_id", schedule_id}}));
    if (!row) {
        return std::optional<ScheduleRecord>();
    }
    TRY(ScheduleRecord schedule, schedule_from(*row));
    return std::optional(std::move(schedule));
}

Status note(db::Tx& tx, const ScheduleRecord& before, const ScheduleRun& run) {
    TRY_STATUS(tx.execute(
        sql::kNoteScheduleRun,
        {
            {"schedule_id", before.schedule_id},
            {"next_at", run.next_at},
            {"made", run.workflow_id ? 1 : 0},
            {"last_at", run.at ? run.at : before.last_at},
            {"last_workflow_id", run.workflow_id ? run.workflow_id : before.last_workflow_id},
            {"last_note", run.note},
        }
    ));
    return {};
}

Status note_extra(db::Tx& tx, const ScheduleId& schedule_id, const std::string& workflow_id) {
    TRY_STATUS(
        tx.execute(sql::kNoteExtraRun, {{"schedule_id", schedule_id}, {"workflow_id", workflow_id}})
    );
    return {};
}

Result<bool> still_runs(db::Tx& tx, const std::string& workflow_id) {
    TRY(const auto row, tx.query_one(sql::kWorkflowIsRunning, {{"workflow_id", workflow_id}}));
    return row.has_value();
}

}  // namespace nexa::orchestration::schedule_store
