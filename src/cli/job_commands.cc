// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/follow.h"
#include "cli/spec_flags.h"
#include "core/json.h"
#include "protocol/job_status.h"
#include "protocol/job_types.h"

namespace nexa::cli {

namespace {

constexpr std::chrono::milliseconds kLogPoll{1'000};
constexpr int kPageMax = 100;

struct ListWish {
    std::string status;
    std::string type;
    std::string after;
    int limit = 20;
};

struct JobNamed {
    std::string job_id;
    int timeout_seconds = 0;
    bool follow = false;
    AfterSubmission after;
    std::vector<std::string> sets;
    std::string name;
    int priority = 0;
    const CLI::Option* priority_flag = nullptr;
};

std::string query_of(const ListWish& wish) {
    std::string query = fmt::format("?limit={}", wish.limit);
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            query += fmt::format("&{}={}", name, net::percent_encode(value));
        }
    };
    add("status", wish.status);
    add("job_type", wish.type);
    add("after", wish.after);
    return query;
}

Result<int> list(Session& session, const ListWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/jobs" + query_of(wish)));
    TRY(const auto page, read_reply<protocol::JobList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"JOB", "TYPE", "STATUS", "CREATED", "NAME"});
    for (const protocol::JobView& job : page.data) {
        table.add({job.job_id, job.job_type, job.status, job.created_at, job.name.value_or("")});
    }
    session.print_table(table, "no jobs");
    if (page.has_more && page.next_cursor && session.context().err_is_terminal) {
        session.note(fmt::format("more: nexa job ls --after {}", *page.next_cursor));
    }
    return 0;
}

std::string progress_of(const protocol::JobView& job) {
    if (!job.progress) {
        return {};
    }
    return job.progress->total > 0
               ? fmt::format(
                     "{} {}/{} {}",
                     job.progress->phase,
                     job.progress->done,
                     job.progress->total,
                     job.progress->unit
                 )
               : fmt::format(
                     "{} {} {}", job.progress->phase, job.progress->done, job.progress->unit
                 );
}

void show(Session& session, const protocol::JobView& job) {
    Table table({"FIELD", "VALUE"});
    const auto add = [&](std::string name, std::string value) {
        if (!value.empty()) {
            table.add({std::move(name), std::move(value)});
        }
    };
    add("job", job.job_id);
    add("type", job.job_type);
    add("status", job.status);
    add("waits", job.status_reason.value_or(""));
    add("name", job.name.value_or(""));
    add("created", job.created_at);
    add("started", job.started_at.value_or(""));
    add("finished", job.finished_at.value_or(""));
    add("worker", job.worker_id.value_or(""));
    add("attempt", std::to_string(job.attempt));
    add("progress", progress_of(job));
    add("payload", job.payload.text);
    add("result", job.result ? job.result->text : "");
    if (job.error) {
        add("error", fmt::format("{}: {}", job.error->code, job.error->message));
        add("hint", job.error->hint);
    }
    add("artifacts", job.artifacts_uri);
    add("cost_usd", job.cost_usd);
    session.print_table(table, "");
}

Result<int> get(Session& session, const JobNamed& wish) {
    TRY(const SeenJob job, look_at_job(session, wish.job_id));
    if (session.json()) {
        session.print_json(job.body);
    } else {
        show(session, job.view);
    }
    return 0;
}

Result<int> cancel(Session& session, const JobNamed& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post(job_path(wish.job_id, "/cancel"), ""));
    TRY(const auto job, read_reply<protocol::JobView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(fmt::format(
            "{}\t{}", job.job_id, job.cancel_requested ? "cancel requested" : job.status
        ));
    }
    return 0;
}

Result<int> retry(Session& session, const JobNamed& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string reply, api->post(job_path(wish.job_id, "/retry"), ""));
    return go_on_with(session, reply, wish.after);
}

/// What is to be other in the new job; empty for nothing.
Result<std::string> changes_of(Session& session, const JobNamed& wish) {
    ValueNode payload{.kind = ValueNode::Kind::kObject};
    if (!wish.sets.empty()) {
        TRY(const SeenJob job, look_at_job(session, wish.job_id));
        TRY(const protocol::JobTypeRow* type, protocol::find_job_type(job.view.job_type));
        for (const std::string& assignment : wish.sets) {
            TRY_STATUS(set_field(*type->spec().structure(), assignment, payload));
        }
    }
    ValueNode changes{.kind = ValueNode::Kind::kObject};
    const auto put_change = [&](std::string_view key, ValueNode value) {
        changes.keys.emplace_back(key);
        changes.items.push_back(std::move(value));
    };
    put_change("payload", std::move(payload));
    if (!wish.name.empty()) {
        put_change("name", {.kind = ValueNode::Kind::kString, .text = wish.name});
    }
    if (wish.priority_flag->count() > 0) {
        put_change(
            "priority", {.kind = ValueNode::Kind::kNumber, .text = std::to_string(wish.priority)}
        );
    }
    return to_json(changes);
}

Result<int> clone(Session& session, const JobNamed& wish) {
    TRY(std::string changes, changes_of(session, wish));
    TRY(ApiClient* const api, session.api());
    TRY(const std::string reply, api->post(job_path(wish.job_id, "/clone"), std::move(changes)));
    return go_on_with(session, reply, wish.after);
}

Result<int> wait(Session& session, const JobNamed& wish) {
    std::optional<std::chrono::seconds> time_max;
    if (wish.timeout_seconds > 0) {
        time_max = std::chrono::seconds(wish.timeout_seconds);
    }
    TRY(const SeenJob job, wait_for_job(session, wish.job_id, time_max));
    return end_with(session, job);
}

struct LogPiece {
    std::string text;
    std::int64_t next = 0;
};

Result<LogPiece> read_log(Session& session, const std::string& job_id, std::int64_t offset) {
    TRY(ApiClient* const api, session.api());
    TRY(net::HttpResponse response,
        api->send({.url = job_path(job_id, fmt::format("/logs?offset={}", offset))}));
    const std::string_view from = response.headers.get("X-Log-Offset");
    std::int64_t at = offset;
    std::from_chars(from.data(), from.data() + from.size(), at);
    return LogPiece{
        .text = response.body, .next = at + static_cast<std::int64_t>(response.body.size())
    };
}

Result<int> logs(Session& session, const JobNamed& wish) {
    std::int64_t offset = 0;
    while (true) {
        // The job's state before its log: what was written up to its end is then in the log.
        bool ended = true;
        if (wish.follow) {
            TRY(const SeenJob job, look_at_job(session, wish.job_id));
            const auto status = protocol::job_status_from(job.view.status);
            ended = status && protocol::is_final(*status);
        }
        while (true) {
            TRY(const LogPiece piece, read_log(session, wish.job_id, offset));
            session.context().out << piece.text << std::flush;
            offset = piece.next;
            if (piece.text.empty()) {
                break;
            }
        }
        if (ended) {
            return 0;
        }
        TRY_STATUS(session.context().sleeper.sleep_for(kLogPoll));
    }
}

/// A command about one job.
struct OnJob {
    const char* name;
    const char* help;
    Result<int> (*run)(Session&, const JobNamed&);
};

struct JobCommand {
    CLI::App* command;
    std::shared_ptr<JobNamed> wish;
};

JobCommand add_on_job(CommandLine& line, Session& session, CLI::App& group, const OnJob& row) {
    auto wish = std::make_shared<JobNamed>();
    CLI::App* command = group.add_subcommand(row.name, row.help);
    command->add_option("JOB", wish->job_id, "The job's id")->required();
    line.on(command, [&session, wish, run = row.run] { return run(session, *wish); });
    return {command, wish};
}

void add_after_flags(const JobCommand& made) {
    AfterSubmission& after = made.wish->after;
    made.command->add_flag("--wait", after.wait, "Return when it has ended, with its exit code");
    made.command->add_flag("--follow", after.follow, "The same, and show its events");
}

void add_repeating(CommandLine& line, Session& session, CLI::App& group) {
    add_after_flags(
        add_on_job(line, session, group, {"retry", "Make a failed or cancelled job again", &retry})
    );
    const JobCommand like = add_on_job(
        line, session, group, {"clone", "Make a job like this one, with changes", &clone}
    );
    like.command
        ->add_option("--set", like.wish->sets, "Change a field of the spec; may be given often")
        ->type_name("FIELD=VALUE")
        ->expected(1)
        ->take_all();
    like.command->add_option("--name", like.wish->name, "The new job's name, for people")
        ->type_name("TEXT");
    like.wish->priority_flag =
        like.command->add_option("--priority", like.wish->priority, "-100 to 100; lower runs first")
            ->type_name("INT");
    add_after_flags(like);
}

}  // namespace

void add_job_commands(CommandLine& line, Session& session) {
    CLI::App* group =
        line.root().add_subcommand("job", "Look at jobs, cancel them, read their logs");
    group->group("Look after jobs and what they made");
    auto listing = std::make_shared<ListWish>();
    CLI::App* ls = group->add_subcommand("ls", "List your jobs, newest first");
    ls->add_option("--status", listing->status, "Only jobs in this status");
    ls->add_option("--type", listing->type, "Only jobs of this type");
    ls->add_option("--limit", listing->limit, "How many")->check(CLI::Range(1, kPageMax));
    ls->add_option("--after", listing->after, "The page behind this one");
    line.on(ls, [&session, listing] { return list(session, *listing); });

    add_on_job(line, session, *group, {"get", "Show a job", &get});
    add_on_job(line, session, *group, {"cancel", "Ask a job to stop", &cancel});
    add_repeating(line, session, *group);
    const JobCommand log =
        add_on_job(line, session, *group, {"logs", "Print what a job's engine wrote", &logs});
    log.command->add_flag("--follow", log.wish->follow, "Go on until the job has ended");
    const JobCommand waiting = add_on_job(
        line, session, *group, {"wait", "Return when a job has ended, with its exit code", &wait}
    );
    waiting.command
        ->add_option("--timeout", waiting.wish->timeout_seconds, "Exit with 8 if it takes longer")
        ->check(CLI::Range(1, 1'000'000'000))
        ->type_name("SECONDS");
}

}  // namespace nexa::cli
