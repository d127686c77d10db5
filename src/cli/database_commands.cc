// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command_line.h"
#include "cli/server_program.h"
#include "cli/table.h"
#include "protocol/backup_info.h"

namespace nexa::cli {

namespace {

/// Millions of jobs and terabytes take their time.
constexpr std::chrono::hours kCopyMax{24};

struct CopyWish {
    std::string dir;
    std::string folder;  ///< of the backup
    ServerSettings settings;
};

Result<std::string> ask(Session& session, const CopyWish& wish, std::vector<std::string> flags) {
    if (!wish.dir.empty()) {
        flags.insert(flags.end(), {"--dir", wish.dir});
    }
    return ask_server_program(session.context(), flags, wish.settings, kCopyMax);
}

Result<int> migrate(Session& session, const CopyWish& wish) {
    TRY(const std::string said, ask(session, wish, {"--migrate"}));
    TRY(const auto report, from_json<protocol::MigrationReport>(said));
    if (session.json()) {
        session.print_json(to_json(report));
        return 0;
    }
    Table table({"TABLE", "ROWS"});
    for (const protocol::TableCount& row : report.tables) {
        table.add({row.table, fmt::format("{}", row.rows)});
    }
    session.print_table(table, "no tables");
    return 0;
}

Result<int> show(Session& session, std::string_view done, const std::string& said) {
    TRY(const auto info, from_json<protocol::BackupInfo>(said));
    if (session.json()) {
        session.print_json(to_json(info));
        return 0;
    }
    std::int64_t rows = 0;
    for (const protocol::TableCount& table : info.tables) {
        rows += table.rows;
    }
    session.print(fmt::format(
        "{}: state of {}, {} rows, {}",
        done,
        info.taken_at,
        rows,
        info.storage_url.empty() ? fmt::format(
                                       "{} files of {}",
                                       info.blobs,
                                       human_bytes(static_cast<std::uint64_t>(info.blob_bytes))
                                   )
                                 : fmt::format("files are in {}", info.storage_url)
    ));
    return 0;
}

Result<int> back_up(Session& session, const CopyWish& wish) {
    TRY(const std::string said, ask(session, wish, {"--backup", wish.folder}));
    return show(session, "backed up", said);
}

Result<int> restore(Session& session, const CopyWish& wish) {
    TRY(const std::string said, ask(session, wish, {"--restore", wish.folder}));
    return show(session, "restored", said);
}

CLI::App* add(CommandLine& line, const char* name, const char* purpose, CopyWish& wish) {
    CLI::App* command = line.root().add_subcommand(name, purpose);
    command->group("Run and repair");
    command->add_option("--dir", wish.dir, "Folder of the server (default nexa-data)");
    add_server_settings(*command, wish.settings);
    return command;
}

}  // namespace

void add_database_commands(CommandLine& line, Session& session) {
    auto wish = std::make_shared<CopyWish>();
    CLI::App* take =
        add(line, "backup", "Write all that a server has to a folder; it may run meanwhile", *wish);
    take->add_option("FOLDER", wish->folder, "New, or with an older backup")->required();
    line.on(take, [&session, wish] { return back_up(session, *wish); });

    CLI::App* bring = add(line, "restore", "Bring a backup into an empty server folder", *wish);
    bring->add_option("FOLDER", wish->folder, "With a backup")->required();
    line.on(bring, [&session, wish] { return restore(session, *wish); });

    CLI::App* move =
        add(line,
            "migrate",
            "Copy everything from SQLite to the PostgreSQL of db.url; the server is stopped",
            *wish);
    line.on(move, [&session, wish] { return migrate(session, *wish); });
}

}  // namespace nexa::cli
