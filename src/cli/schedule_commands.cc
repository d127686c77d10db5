// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/table.h"
#include "cli/workflow_document.h"
#include "core/json.h"
#include "net/url.h"
#include "protocol/schedule_views.h"

namespace nexa::cli {

namespace {

using protocol::ScheduleView;

constexpr int kPageMax = 100;

struct ScheduleWish {
    std::string what;
    std::vector<std::string> sets;
    protocol::ScheduleSpec spec;
    std::string name;
};

struct ScheduleNamed {
    std::string schedule_id;
};

struct ScheduleListWish {
    std::string after;
    int limit = 20;
};

std::string schedule_path(const std::string& schedule_id, std::string_view below = "") {
    return fmt::format("/schedules/{}{}", net::percent_encode(schedule_id), below);
}

Result<int> show(Session& session, const std::string& body) {
    TRY(const auto view, read_reply<ScheduleView>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    session.print(fmt::format(
        "{}\t{}\t{}\t{}",
        view.schedule_id,
        view.cron,
        view.time_zone,
        view.paused ? "paused" : fmt::format("next {}", view.next_runs.front())
    ));
    session.print(fmt::format(
        "{} runs{}{}",
        view.runs,
        view.last_workflow_id ? fmt::format(", the last {}", *view.last_workflow_id) : "",
        view.last_note.empty() ? "" : fmt::format("; {}", view.last_note)
    ));
    return 0;
}

Result<int> create(Session& session, const ScheduleWish& wish) {
    TRY(const WorkflowDocument document,
        read_workflow_document(session.context(), wish.what, wish.sets, wish.name));
    protocol::ScheduleSpec spec = wish.spec;
    spec.workflow = {to_json(document.tree)};
    if (!wish.name.empty()) {
        spec.name = wish.name;
    }
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post("/schedules", to_json(spec)));
    return show(session, body);
}

Result<int> list(Session& session, const ScheduleListWish& wish) {
    TRY(ApiClient* const api, session.api());
    std::string query = fmt::format("?limit={}", wish.limit);
    if (!wish.after.empty()) {
        query += "&after=" + net::percent_encode(wish.after);
    }
    TRY(const std::string body, api->get("/schedules" + query));
    TRY(const auto page, read_reply<protocol::ScheduleList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"SCHEDULE", "WHEN", "ZONE", "NEXT", "RUNS", "NAME"});
    for (const ScheduleView& row : page.data) {
        table.add({
            row.schedule_id,
            row.cron,
            row.time_zone,
            row.paused ? "paused" : row.next_runs.front(),
            std::to_string(row.runs),
            row.name.value_or(""),
        });
    }
    session.print_table(table, "no schedules");
    if (page.has_more && page.next_cursor && session.context().err_is_terminal) {
        session.note(fmt::format("more: nexa schedule ls --after {}", *page.next_cursor));
    }
    return 0;
}

Result<int> get(Session& session, const std::string& schedule_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(schedule_path(schedule_id)));
    return show(session, body);
}

Result<int> pause(Session& session, const std::string& schedule_id, bool paused) {
    TRY(ApiClient* const api, session.api());
    const protocol::ScheduleChange change{.paused = paused};
    TRY(const auto reply,
        api->send({
            .method = net::Method::kPatch,
            .url = schedule_path(schedule_id),
            .headers = {{"Content-Type", "application/json"}},
            .body = to_json(change),
        }));
    return show(session, reply.body);
}

Result<int> run_now(Session& session, const std::string& schedule_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post(schedule_path(schedule_id, "/run"), "{}"));
    return show(session, body);
}

Result<int> remove(Session& session, const std::string& schedule_id) {
    TRY(ApiClient* const api, session.api());
    TRY_STATUS(api->remove(schedule_path(schedule_id)));
    if (!session.json()) {
        session.print(fmt::format("{} ended", schedule_id));
    }
    return 0;
}

void add_create(CommandLine& line, Session& session, CLI::App& group) {
    auto wish = std::make_shared<ScheduleWish>();
    CLI::App* command = group.add_subcommand("create", "Start a workflow at set times");
    command->add_option("WORKFLOW", wish->what, "File (JSON or YAML), or name of a built-in one")
        ->required();
    command->add_option("--cron", wish->spec.cron, "When, as '30 3 * * mon-fri' or @daily")
        ->required();
    command->add_option("--time-zone", wish->spec.time_zone, "On whose clocks (default UTC)");
    command->add_option("--set", wish->sets, "Input of the workflow")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    command->add_option("--name", wish->name, "For people");
    command->add_option("--missed", wish->spec.missed, "Past times: once (default), all, skip");
    command->add_option(
        "--overlap", wish->spec.overlap, "While one still runs: allow (default), skip"
    );
    line.on(command, [&session, wish] { return create(session, *wish); });
}

}  // namespace

void add_schedule_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("schedule", "Start workflows at set times");
    group->group("Make a job");
    add_create(line, session, *group);
    auto page = std::make_shared<ScheduleListWish>();
    CLI::App* ls = group->add_subcommand("ls", "List your schedules, newest first");
    ls->add_option("--limit", page->limit, "Schedules per page")->check(CLI::Range(1, kPageMax));
    ls->add_option("--after", page->after, "Last id of the page before");
    line.on(ls, [&session, page] { return list(session, *page); });

    auto named = std::make_shared<ScheduleNamed>();
    const auto on_one = [&](const char* word, const char* purpose, auto run) {
        CLI::App* command = group->add_subcommand(word, purpose);
        command->add_option("SCHEDULE", named->schedule_id, "Its id")->required();
        line.on(command, [&session, named, run] { return run(session, named->schedule_id); });
    };
    on_one("show", "Show a schedule with its next time", get);
    on_one("pause", "Start nothing until it is resumed", [](Session& with, const std::string& id) {
        return pause(with, id, true);
    });
    on_one("resume", "Go on with the next time", [](Session& with, const std::string& id) {
        return pause(with, id, false);
    });
    on_one("run", "Start its workflow now, beside its times", run_now);
    on_one("rm", "End a schedule; what it started goes on", remove);
}

}  // namespace nexa::cli
