// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/server_program.h"
#include "core/json_writer.h"

namespace nexa::cli {

namespace {

/// Millions of jobs take minutes.
constexpr std::chrono::hours kMigrationMax{24};

struct MigrateWish {
    std::string dir;
    ServerSettings settings;
};

struct TableRows {
    std::string table;
    std::string rows;
};

/// The lines "table TAB rows" of `nexad --migrate`.
std::vector<TableRows> read_rows(std::string_view text) {
    std::vector<TableRows> tables;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t tab = std::min(line.find('\t'), line.size());
        tables.push_back({
            .table = std::string(line.substr(0, tab)),
            .rows = std::string(line.substr(std::min(tab + 1, line.size()))),
        });
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return tables;
}

std::string as_json(const std::vector<TableRows>& tables) {
    JsonWriter writer;
    writer.begin_object();
    for (const TableRows& table : tables) {
        writer.key(table.table);
        writer.raw(table.rows);
    }
    writer.end_object();
    return writer.take();
}

Result<int> migrate(Session& session, const MigrateWish& wish) {
    std::vector<std::string> flags{"--migrate"};
    if (!wish.dir.empty()) {
        flags.insert(flags.end(), {"--dir", wish.dir});
    }
    TRY(const std::string said,
        ask_server_program(session.context(), flags, wish.settings, kMigrationMax));
    const std::vector<TableRows> tables = read_rows(said);
    if (session.json()) {
        session.print_json(as_json(tables));
        return 0;
    }
    Table table({"TABLE", "ROWS"});
    for (const TableRows& row : tables) {
        table.add({row.table, row.rows});
    }
    session.print_table(table, "no tables");
    return 0;
}

}  // namespace

void add_database_commands(CommandLine& line, Session& session) {
    auto wish = std::make_shared<MigrateWish>();
    CLI::App* move = line.root().add_subcommand(
        "migrate", "Copy everything from SQLite to the PostgreSQL of db.url; the server is stopped"
    );
    move->group("Run and repair");
    move->add_option("--dir", wish->dir, "Folder of the server (default nexa-data)");
    add_server_settings(*move, wish->settings);
    line.on(move, [&session, wish] { return migrate(session, *wish); });
}

}  // namespace nexa::cli
