// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/artifact_transfer.h"
#include "cli/command_line.h"
#include "net/url.h"

namespace nexa::cli {

namespace {

struct ListWish {
    std::string kind;
    std::string job_id;
    std::string after;
    int limit = 20;
};

struct PullWish {
    std::string artifact_id;
    std::string folder;
};

struct PushArguments {
    std::string path;
    std::string kind = "dataset";
    std::string name;
};

/// One line that counts files, where somebody sees it.
TransferProgress counter(Session& session, std::string_view what) {
    return [&session, what](std::string_view file, std::size_t done, std::size_t all) {
        CliContext& context = session.context();
        if (!session.json() && context.may_color(context.err_is_terminal)) {
            const std::string line = fmt::format("{} {}/{} {}", what, done, all, one_line(file));
            context.err << '\r' << line.substr(0, context.columns - 1) << "\x1b[K"
                        << (done == all ? "\n" : "") << std::flush;
        }
    };
}

std::string query_of(const ListWish& wish) {
    std::string query = fmt::format("?limit={}", wish.limit);
    const auto add = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            query += fmt::format("&{}={}", name, net::percent_encode(value));
        }
    };
    add("kind", wish.kind);
    add("job_id", wish.job_id);
    add("after", wish.after);
    return query;
}

Result<int> list(Session& session, const ListWish& wish) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/artifacts" + query_of(wish)));
    TRY(const auto page, read_reply<protocol::ArtifactList>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"ARTIFACT", "KIND", "SIZE", "CREATED", "NAME"});
    for (const protocol::ArtifactView& artifact : page.data) {
        const auto bytes = static_cast<std::uint64_t>(artifact.bytes);
        const bool for_people = session.context().out_is_terminal;
        table.add({
            artifact.artifact_id,
            artifact.kind,
            for_people ? human_bytes(bytes) : std::to_string(bytes),
            artifact.created_at,
            artifact.name,
        });
    }
    session.print_table(table, "no artifacts");
    if (page.has_more && page.next_cursor && session.context().err_is_terminal) {
        session.note(fmt::format("more: nexa artifact ls --after {}", *page.next_cursor));
    }
    return 0;
}

Result<std::string> look_at(Session& session, const std::string& artifact_id) {
    TRY(ApiClient* const api, session.api());
    return api->get(fmt::format("/artifacts/{}", net::percent_encode(artifact_id)));
}

Result<int> get(Session& session, const std::string& artifact_id) {
    TRY(const std::string body, look_at(session, artifact_id));
    TRY(const auto artifact, read_reply<protocol::ArtifactView>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"FIELD", "VALUE"});
    table.add({"artifact", artifact.artifact_id});
    table.add({"kind", artifact.kind});
    table.add({"name", artifact.name});
    table.add({"uri", artifact.uri});
    table.add({"job", artifact.job_id.value_or("")});
    table.add({"root_digest", artifact.root_digest});
    table.add({"bytes", std::to_string(artifact.bytes)});
    table.add({"created", artifact.created_at});
    for (const protocol::InputFile& file : artifact.files) {
        table.add({"file", fmt::format("{} {} {}", file.path, file.size, file.digest)});
    }
    session.print_table(table, "");
    return 0;
}

Result<int> pull_one(Session& session, const PullWish& wish) {
    TRY(const std::string body, look_at(session, wish.artifact_id));
    TRY(const auto artifact, read_reply<protocol::ArtifactView>(body));
    TRY(ApiClient* const api, session.api());
    const std::string folder = wish.folder.empty() ? artifact.artifact_id : wish.folder;
    // The id came from a server: alone it must not name another place.
    if (wish.folder.empty() &&
        (folder.empty() || folder.starts_with('.') || folder.contains('/'))) {
        return Error::invalid_argument("'{}' is no name for a folder", one_line(folder))
            .hint("name one");
    }
    TRY_STATUS(pull(*api, artifact, folder, counter(session, "pulled")));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(folder);
    }
    return 0;
}

Result<int> push_one(Session& session, const PushArguments& wish) {
    TRY(ApiClient* const api, session.api());
    const PushWish push_wish{.path = wish.path, .kind = wish.kind, .name = wish.name};
    TRY(const std::string body, push(*api, push_wish, counter(session, "pushed")));
    TRY(const auto artifact, read_reply<protocol::ArtifactView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(artifact.artifact_id);
    }
    return 0;
}

Result<int> remove(Session& session, const std::string& artifact_id) {
    TRY(ApiClient* const api, session.api());
    TRY_STATUS(api->remove(fmt::format("/artifacts/{}", net::percent_encode(artifact_id))));
    if (session.json()) {
        session.print_json(fmt::format(R"({{"artifact_id":"{}","deleted":true}})", artifact_id));
    } else {
        session.print(fmt::format("{}\tdeleted", artifact_id));
    }
    return 0;
}

void add_kin(
    Table& table, std::string_view word, const std::vector<protocol::ArtifactKin>& relatives
) {
    for (const protocol::ArtifactKin& kin : relatives) {
        table.add({
            std::string(word),
            std::to_string(kin.distance),
            kin.artifact_id,
            kin.kind,
            kin.name,
            kin.job_type ? fmt::format("{} {}", *kin.job_type, kin.job_id.value_or("")) : "upload",
            kin.deleted ? "deleted" : "",
        });
    }
}

Result<int> show_lineage(Session& session, const std::string& artifact_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body,
        api->get(fmt::format("/artifacts/{}/lineage", net::percent_encode(artifact_id))));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    TRY(const auto lineage, read_reply<protocol::ArtifactLineage>(body));
    Table table({"", "JOBS AWAY", "ARTIFACT", "KIND", "NAME", "MADE BY", ""});
    add_kin(table, "from", lineage.ancestors);
    add_kin(table, "into", lineage.descendants);
    session.print_table(table, "made from nothing stored here, and nothing was made from it");
    return 0;
}

}  // namespace

void add_artifact_commands(CommandLine& line, Session& session) {
    CLI::App* group = line.root().add_subcommand(
        "artifact", "List, trace, download, upload and delete datasets and models"
    );
    group->group("Look after jobs and what they made");

    auto listing = std::make_shared<ListWish>();
    CLI::App* ls = group->add_subcommand("ls", "List your artifacts, newest first");
    ls->add_option("--kind", listing->kind, "dataset, distill, checkpoint, eval or deployment");
    ls->add_option("--job", listing->job_id, "Only what this job made");
    ls->add_option("--limit", listing->limit, "How many")->check(CLI::Range(1, 100));
    ls->add_option("--after", listing->after, "The page behind this one");
    line.on(ls, [&session, listing] { return list(session, *listing); });

    auto shown = std::make_shared<std::string>();
    CLI::App* show = group->add_subcommand("get", "Show an artifact and its files");
    show->add_option("ARTIFACT", *shown, "The artifact's id")->required();
    line.on(show, [&session, shown] { return get(session, *shown); });

    CLI::App* lineage = group->add_subcommand(
        "lineage", "Show what an artifact was made from, and what was made from it"
    );
    lineage->add_option("ARTIFACT", *shown, "The artifact's id")->required();
    line.on(lineage, [&session, shown] { return show_lineage(session, *shown); });

    CLI::App* removal = group->add_subcommand(
        "rm", "Delete an artifact that no running job and no deployment needs"
    );
    removal->add_option("ARTIFACT", *shown, "The artifact's id")->required();
    line.on(removal, [&session, shown] { return remove(session, *shown); });

    auto pulling = std::make_shared<PullWish>();
    CLI::App* pull_command =
        group->add_subcommand("pull", "Download an artifact's files and check their hashes");
    pull_command->add_option("ARTIFACT", pulling->artifact_id, "The artifact's id")->required();
    pull_command->add_option(
        "FOLDER", pulling->folder, "Where to; default: a folder called by the id"
    );
    line.on(pull_command, [&session, pulling] { return pull_one(session, *pulling); });

    auto pushing = std::make_shared<PushArguments>();
    CLI::App* push_command =
        group->add_subcommand("push", "Upload a file or folder; prints the artifact's id");
    push_command->add_option("PATH", pushing->path, "What to upload")->required();
    push_command->add_option("--kind", pushing->kind, "dataset or checkpoint")
        ->check(CLI::IsMember({"dataset", "checkpoint"}));
    push_command->add_option("--name", pushing->name, "For people");
    line.on(push_command, [&session, pushing] { return push_one(session, *pushing); });
}

}  // namespace nexa::cli
