// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/table.h"
#include "cli/workflow_document.h"
#include "core/json.h"
#include "core/utf8.h"
#include "net/url.h"
#include "protocol/workflow_views.h"

namespace nexa::cli {

namespace {

using protocol::WorkflowStepView;
using protocol::WorkflowView;

constexpr int kPageMax = 100;
constexpr std::chrono::milliseconds kPollMin{200};
constexpr std::chrono::milliseconds kPollMax{2'000};

struct RunWish {
    std::string what;
    std::vector<std::string> sets;
    std::string name;
    std::string key;
    bool wait = false;
};

struct ListWish {
    std::string status;
    std::string after;
    int limit = 20;
};

struct WorkflowNamed {
    std::string workflow_id;
    std::string from;
    bool wait = false;
};

std::string workflow_path(const std::string& workflow_id, std::string_view below = "") {
    return fmt::format("/workflows/{}{}", net::percent_encode(workflow_id), below);
}

/// The line of the innermost value that an error's place names; 0 if it has none.
std::uint32_t line_of(const ValueNode& tree, std::string_view place) {
    const ValueNode* at = &tree;
    std::uint32_t line = 0;
    while (at != nullptr && !place.empty()) {
        const std::size_t end = place.find_first_of(".[]");
        const std::string_view word = place.substr(0, end);
        std::size_t index = 0;
        const auto read = std::from_chars(word.data(), word.data() + word.size(), index);
        if (at->kind == ValueNode::Kind::kArray && read.ec == std::errc()) {
            at = index < at->items.size() ? &at->items[index] : nullptr;
        } else if (!word.empty()) {
            at = at->find(word);
        }
        line = at != nullptr ? at->line : line;
        place.remove_prefix(end == std::string_view::npos ? place.size() : end + 1);
    }
    return line;
}

struct Seen {
    WorkflowView view;
    std::string body;
};

Result<Seen> look_at(Session& session, const std::string& workflow_id) {
    TRY(ApiClient* const api, session.api());
    Seen seen;
    TRY(seen.body, api->get(workflow_path(workflow_id)));
    TRY(seen.view, read_reply<WorkflowView>(seen.body));
    return seen;
}

/// How many steps stand before it on the longest way to it.
std::map<std::string, std::size_t> depths_of(const WorkflowView& view) {
    std::map<std::string, std::size_t> depths;
    for (const WorkflowStepView& step : view.steps) {  // each behind those that it needs
        std::size_t depth = 0;
        for (const std::string& need : step.needs) {
            depth = std::max(depth, depths[need] + 1);
        }
        depths[step.name] = depth;
    }
    return depths;
}

std::string_view mark_of(std::string_view status) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kMarks{{
        {"completed", "✓"},
        {"failed", "✗"},
        {"skipped", "-"},
        {"cancelled", "×"},
        {"blocked", "·"},
    }};
    const auto* const found =
        std::ranges::find(kMarks, status, &std::pair<std::string_view, std::string_view>::first);
    return found == kMarks.end() ? "▸" : found->second;
}

std::string jobs_of(const WorkflowStepView& step) {
    if (step.job_id) {
        return *step.job_id;
    }
    const auto done =
        std::ranges::count(step.jobs, std::string("completed"), &protocol::WorkflowJobView::status);
    return step.jobs.empty() ? "" : fmt::format("{} of {} jobs done", done, step.jobs.size());
}

void show_steps(Session& session, const WorkflowView& view) {
    session.print(fmt::format(
        "{}\t{}{}{}",
        view.workflow_id,
        view.status,
        view.name ? "\t" + one_line(*view.name) : "",
        view.template_name ? "\t" + *view.template_name : ""
    ));
    const auto depths = depths_of(view);
    Table table({"STEP", "STATUS", "TYPE", "JOB", "AFTER", "WHY"});
    for (const WorkflowStepView& step : view.steps) {
        table.add({
            fmt::format(
                "{:{}}{} {}", "", depths.at(step.name) * 2, mark_of(step.status), step.name
            ),
            step.status,
            step.job_type,
            jobs_of(step),
            fmt::format("{}", fmt::join(step.needs, ", ")),
            step.reason,
        });
    }
    session.print_table(table, "no steps");
}

void answer_with(Session& session, const Seen& seen) {
    if (session.json()) {
        session.print_json(seen.body);
    } else {
        show_steps(session, seen.view);
    }
}

/// 0 if it completed, as a cancelled job if it was cancelled, else 1.
Result<int> wait_for_end(Session& session, const std::string& workflow_id) {
    std::chrono::milliseconds pause = kPollMin;
    while (true) {
        TRY(const Seen seen, look_at(session, workflow_id));
        if (seen.view.status != "running") {
            answer_with(session, seen);
            if (seen.view.status == "completed") {
                return 0;
            }
            const bool cancelled = seen.view.status == "cancelled";
            return row_of(cancelled ? ErrorCode::kCancelled : ErrorCode::kInternal).exit_code;
        }
        TRY_STATUS(session.context().sleeper.sleep_for(pause));
        pause = std::min(pause * 2, kPollMax);
    }
}

Result<int> show_begun(Session& session, const std::string& body, bool wait) {
    TRY(const auto view, read_reply<WorkflowView>(body));
    if (wait) {
        if (!session.json()) {
            session.note(fmt::format("workflow {}", view.workflow_id));
        }
        return wait_for_end(session, view.workflow_id);
    }
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(view.workflow_id);
    }
    return 0;
}

Result<int> run_workflow(Session& session, const RunWish& wish) {
    TRY(const WorkflowDocument document,
        read_workflow_document(session.context(), wish.what, wish.sets, wish.name));
    TRY(ApiClient* const api, session.api());
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = "/workflows",
        .headers = {{"Content-Type", "application/json"}},
        .body = to_json(document.tree),
    };
    if (!wish.key.empty()) {
        request.headers.set("Idempotency-Key", wish.key);
    }
    const auto reply = api->send(std::move(request));
    if (!reply) {
        Error error = reply.error();
        const std::uint32_t line = line_of(document.tree, error.param);
        if (!document.source.empty() && line > 0) {
            error.param = fmt::format("{}:{}: {}", document.source, line, error.param);
        }
        return error;
    }
    return show_begun(session, reply->body, wish.wait);
}

Result<int> list(Session& session, const ListWish& wish) {
    TRY(ApiClient* const api, session.api());
    std::string query = fmt::format("?limit={}", wish.limit);
    for (const auto& [name, value] :
         {std::pair("status", &wish.status), std::pair("after", &wish.after)}) {
        if (!value->empty()) {
            query += fmt::format("&{}={}", name, net::percent_encode(*value));
        }
    }
    TRY(const std::string body, api->get("/workflows" + query));
    TRY(const auto page, read_reply<protocol::WorkflowList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"WORKFLOW", "STATUS", "CREATED", "NAME", "TEMPLATE"});
    for (const protocol::WorkflowSummary& row : page.data) {
        table.add(
            {row.workflow_id,
             row.status,
             row.created_at,
             row.name.value_or(""),
             row.template_name.value_or("")}
        );
    }
    session.print_table(table, "no workflows");
    if (page.has_more && page.next_cursor && session.context().err_is_terminal) {
        session.note(fmt::format("more: nexa workflow ls --after {}", *page.next_cursor));
    }
    return 0;
}

Result<int> show(Session& session, const WorkflowNamed& wish) {
    TRY(const Seen seen, look_at(session, wish.workflow_id));
    answer_with(session, seen);
    return 0;
}

Result<int> wait(Session& session, const WorkflowNamed& wish) {
    return wait_for_end(session, wish.workflow_id);
}

Result<int> cancel(Session& session, const WorkflowNamed& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post(workflow_path(wish.workflow_id, "/cancel"), ""));
    TRY(const auto view, read_reply<WorkflowView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        const bool asked = view.status == "running" && view.cancel_requested;
        session.print(
            fmt::format("{}\t{}", view.workflow_id, asked ? "cancel requested" : view.status)
        );
    }
    return 0;
}

Result<int> rerun(Session& session, const WorkflowNamed& wish) {
    TRY(ApiClient* const api, session.api());
    const protocol::WorkflowRerun body{.from = wish.from};
    TRY(const std::string reply,
        api->post(workflow_path(wish.workflow_id, "/rerun"), to_json(body)));
    return show_begun(session, reply, wish.wait);
}

Result<int> manifest(Session& session, const WorkflowNamed& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get(workflow_path(wish.workflow_id, "/manifest")));
    session.print_json(body);
    return 0;
}

/// A command about one workflow.
struct OnWorkflow {
    const char* name;
    const char* help;
    Result<int> (*run)(Session&, const WorkflowNamed&);
};

void add_on_workflow(CommandLine& line, Session& session, CLI::App& group, const OnWorkflow& row) {
    auto wish = std::make_shared<WorkflowNamed>();
    CLI::App* command = group.add_subcommand(row.name, row.help);
    command->add_option("WORKFLOW", wish->workflow_id, "The workflow's id")->required();
    if (row.run == &rerun) {
        command->add_option("--from", wish->from, "The first step that runs again")
            ->required()
            ->type_name("STEP");
        command->add_flag("--wait", wish->wait, "Return when it has ended, with its exit code");
    }
    line.on(command, [&session, wish, run = row.run] { return run(session, *wish); });
}

}  // namespace

void add_workflow_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand("workflow", "Run steps as a graph of jobs");
    group->group("Make a job");
    auto wish = std::make_shared<RunWish>();
    CLI::App* run = group->add_subcommand("run", "Submit a file, or a built-in workflow");
    run->add_option("WORKFLOW", wish->what, "YAML or JSON file, - for stdin, or training_pipeline")
        ->required();
    run->add_option("--set", wish->sets, "Give an input; may be given often")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    run->add_option("--name", wish->name, "The workflow's name, for people")->type_name("TEXT");
    run->add_option("--key", wish->key, "Idempotency key: the same again makes no second one")
        ->type_name("TEXT");
    run->add_flag("--wait", wish->wait, "Return when it has ended, with its exit code");
    line.on(run, [&session, wish] { return run_workflow(session, *wish); });

    auto listing = std::make_shared<ListWish>();
    CLI::App* ls = group->add_subcommand("ls", "List your workflows, newest first");
    ls->add_option("--status", listing->status, "Only workflows in this status");
    ls->add_option("--limit", listing->limit, "How many")->check(CLI::Range(1, kPageMax));
    ls->add_option("--after", listing->after, "The page behind this one");
    line.on(ls, [&session, listing] { return list(session, *listing); });

    for (const OnWorkflow& row : {
             OnWorkflow{"show", "Show a workflow's steps and how they stand", &show},
             OnWorkflow{"wait", "Return when a workflow has ended, with its exit code", &wait},
             OnWorkflow{"cancel", "Ask a workflow and its jobs to stop", &cancel},
             OnWorkflow{
                 "rerun", "Run again from a step on; those before keep their outputs", &rerun
             },
             OnWorkflow{
                 "manifest", "Print what ran: config, code, files by their hashes", &manifest
             },
         }) {
        add_on_workflow(line, session, *group, row);
    }
}

}  // namespace nexa::cli
