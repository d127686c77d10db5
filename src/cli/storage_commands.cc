// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/table.h"
#include "protocol/storage_views.h"

namespace nexa::cli {

namespace {

std::string size_of(std::int64_t bytes) {
    return human_bytes(static_cast<std::uint64_t>(bytes));
}

Result<int> show(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->get("/storage"));
    TRY(const auto view, read_reply<protocol::StorageView>(body));
    if (session.json()) {
        session.print_json(body);
        return 0;
    }
    Table table({"WHAT", "FILES", "SIZE"});
    table.add({"stored", std::to_string(view.blobs), size_of(view.bytes)});
    table.add({"no artifact names", std::to_string(view.unused_blobs), size_of(view.unused_bytes)});
    table.add({"goes next", std::to_string(view.collectable_blobs), size_of(view.collectable_bytes)}
    );
    session.print_table(table, "nothing is stored");
    return 0;
}

Result<int> collect(Session& session) {
    TRY(ApiClient* const api, session.api());
    TRY(const std::string body, api->post("/storage/collect", "{}"));
    TRY(const auto collected, read_reply<protocol::CollectedView>(body));
    if (session.json()) {
        session.print_json(body);
    } else {
        session.print(
            fmt::format("removed {} files of {}", collected.blobs, size_of(collected.bytes))
        );
    }
    return 0;
}

}  // namespace

void add_storage_commands(CommandLine& line, Session& session) {
    CLI::App* group =
        line.root().add_subcommand("storage", "Look at what a server stores, and make room");
    group->group("Run and repair");
    line.on(
        group->add_subcommand("show", "Show how much is stored, and what of it may go"),
        [&session] { return show(session); }
    );
    line.on(
        group->add_subcommand("collect", "Remove now what no artifact has named for a while"),
        [&session] { return collect(session); }
    );
}

}  // namespace nexa::cli
