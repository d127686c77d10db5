// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "core/json_text.h"

namespace nexa::protocol {

// Workflows that start by themselves. Times are RFC 3339 text in UTC.

struct ScheduleSpec {
    static constexpr std::string_view kName = "ScheduleSpec";
    std::optional<std::string> name;
    std::string cron;
    std::string time_zone = "UTC";
    JsonText workflow;
    std::string missed = "once";
    std::string overlap = "allow";
    bool paused = false;

    static constexpr auto fields() {
        using S = ScheduleSpec;
        return std::tuple{
            field("name", &S::name, "For people").length(1, 255),
            field(
                "cron",
                &S::cron,
                "When: minute, hour, day of the month, month, day of the week; or @hourly, @daily, "
                "@weekly, @monthly, @yearly"
            )
                .required()
                .length(1, 255)
                .example("30 3 * * mon-fri"),
            field("time_zone", &S::time_zone, "On whose clocks")
                .length(1, 64)
                .example("Europe/Berlin"),
            field("workflow", &S::workflow, "What starts: as POST /api/workflows takes it")
                .required(),
            field(
                "missed",
                &S::missed,
                "What becomes of times at which no server ran: once for all of them, all (the last "
                "100), or skip what is over five minutes late"
            )
                .one_of({"once", "all", "skip"}),
            field("overlap", &S::overlap, "While the one before still runs: allow or skip")
                .one_of({"allow", "skip"}),
            field("paused", &S::paused, "True: nothing starts"),
        };
    }
};

/// What is left out stays as it is.
struct ScheduleChange {
    static constexpr std::string_view kName = "ScheduleChange";
    std::optional<std::string> name;
    std::optional<std::string> cron;
    std::optional<std::string> time_zone;
    std::optional<JsonText> workflow;
    std::optional<std::string> missed;
    std::optional<std::string> overlap;
    std::optional<bool> paused;

    static constexpr auto fields() {
        using S = ScheduleChange;
        return std::tuple{
            field("name", &S::name, "For people").length(1, 255),
            field("cron", &S::cron, "When").length(1, 255),
            field("time_zone", &S::time_zone, "On whose clocks").length(1, 64),
            field("workflow", &S::workflow, "What starts from now on"),
            field("missed", &S::missed, "once, all or skip").one_of({"once", "all", "skip"}),
            field("overlap", &S::overlap, "allow or skip").one_of({"allow", "skip"}),
            field("paused", &S::paused, "False: it goes on with the next time from now"),
        };
    }
};

struct ScheduleView {
    static constexpr std::string_view kName = "ScheduleView";
    std::string schedule_id;
    std::optional<std::string> name;
    std::string cron;
    std::string time_zone;
    JsonText workflow;
    std::string missed;
    std::string overlap;
    bool paused = false;
    std::string user_id;
    std::vector<std::string> next_runs;
    std::int64_t runs = 0;
    std::optional<std::string> last_run_at;
    std::optional<std::string> last_workflow_id;
    std::string last_note;
    std::string created_at;
    std::string updated_at;

    static constexpr auto fields() {
        using S = ScheduleView;
        return std::tuple{
            field("schedule_id", &S::schedule_id, "The schedule").required(),
            field("name", &S::name, "For people").null_when_empty(),
            field("cron", &S::cron, "When").required(),
            field("time_zone", &S::time_zone, "On whose clocks").required(),
            field("workflow", &S::workflow, "What starts").required(),
            field("missed", &S::missed, "once, all or skip").required(),
            field("overlap", &S::overlap, "allow or skip").required(),
            field("paused", &S::paused, "True: nothing starts").required(),
            field("user_id", &S::user_id, "In whose name it starts: who last changed it")
                .required(),
            field("next_runs", &S::next_runs, "The next five times; none while it is paused")
                .required(),
            field("runs", &S::runs, "Workflows it has started").required(),
            field("last_run_at", &S::last_run_at, "The time that the last start was for")
                .null_when_empty(),
            field("last_workflow_id", &S::last_workflow_id, "What it started last")
                .null_when_empty(),
            field("last_note", &S::last_note, "Why a time made no workflow, or was left out")
                .required(),
            field("created_at", &S::created_at, "When it was made").required(),
            field("updated_at", &S::updated_at, "When it was last changed").required(),
        };
    }
};

struct ScheduleList {
    static constexpr std::string_view kName = "ScheduleList";
    std::string object = "list";
    std::vector<ScheduleView> data;
    bool has_more = false;
    std::optional<std::string> next_cursor;

    static constexpr auto fields() {
        using S = ScheduleList;
        return std::tuple{
            field("object", &S::object, "list").required(),
            field("data", &S::data, "Newest first").required(),
            field("has_more", &S::has_more, "True: ask again with `after`").required(),
            field("next_cursor", &S::next_cursor, "To give as `after`").null_when_empty(),
        };
    }
};

}  // namespace nexa::protocol
