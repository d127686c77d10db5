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
#include "orchestration/workflow_store.h"

namespace nexa::orchestration {

struct ScheduleIdTag {
    static constexpr std::string_view kPrefix = "sch_";
};
using ScheduleId = Id<ScheduleIdTag>;

struct ScheduleRecord {
    ScheduleId schedule_id;
    std::string tenant_id;
    std::string user_id;  ///< in whose name its workflows start
    std::string key_id;
    std::optional<std::string> name;
    std::string cron;
    std::string time_zone;
    JsonText definition;
    std::string missed;   ///< once, all, skip
    std::string overlap;  ///< allow, skip
    bool paused = false;
    std::optional<Timestamp> next_at;  ///< none while paused
    std::int64_t runs = 0;
    std::optional<Timestamp> last_at;
    std::optional<std::string> last_workflow_id;
    std::string last_note;
    Timestamp created_at;
    Timestamp updated_at;
};

/// How one time of a schedule ended.
struct ScheduleRun {
    std::optional<Timestamp> at;             ///< the time it was for; none was made
    std::optional<std::string> workflow_id;  ///< what it started
    std::optional<Timestamp> next_at;
    std::string note;
};

/// Schedules as rows. Every call is inside a transaction; the changing ones in the writer's.
namespace schedule_store {

/// Its id; that of an earlier one if the tenant has used the idempotency key before.
Result<ScheduleId> add(
    db::Tx& tx, const ScheduleRecord& schedule, const std::optional<std::string>& idempotency_key
);
/// Errors: kNotFound; also when it is another tenant's.
Result<ScheduleRecord> get(db::Tx& tx, const ScheduleId& schedule_id, const std::string& tenant_id);
/// Newest first, up to `limit` + 1, so that the caller sees whether there are more.
Result<std::vector<ScheduleRecord>> list(
    db::Tx& tx, const std::string& tenant_id, const std::optional<std::string>& after, int limit
);
/// What its owner may change, and `next_at`.
Status put(db::Tx& tx, const ScheduleRecord& schedule);
/// Errors: kNotFound.
Status remove(db::Tx& tx, const ScheduleId& schedule_id, const std::string& tenant_id);

/// Those whose time has come, the latest first in line last.
Result<std::vector<ScheduleId>> due(db::Tx& tx, int limit);
/// One of them, for this transaction alone; none if another coordinator has it.
Result<std::optional<ScheduleRecord>> take_due(db::Tx& tx, const ScheduleId& schedule_id);
/// `before` is as it was taken.
Status note(db::Tx& tx, const ScheduleRecord& before, const ScheduleRun& run);
/// One beside its times.
Status note_extra(db::Tx& tx, const ScheduleId& schedule_id, const std::string& workflow_id);
Result<bool> still_runs(db::Tx& tx, const std::string& workflow_id);

}  // namespace schedule_store

}  // namespace nexa::orchestration
