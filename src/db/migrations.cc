// SPDX-License-Identifier: Apache-2.0
#include "db/migrations.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "db/connection_internal.h"
#include "db/db_sql.h"
#include "db/writing_connection_internal.h"

namespace nexa::db {

namespace {

std::string title(const MigrationSet& set, int version, std::string_view name) {
    return fmt::format("migration {:04}_{} of {}", version, name, set.module);
}

void check_sets(const Connection& connection, std::span<const MigrationSet> sets) {
    std::set<std::string_view> modules;
    for (const MigrationSet& set : sets) {
        NEXA_CHECK(modules.insert(set.module).second);
        int version = 0;
        for (const Migration& migration : set.migrations) {
            NEXA_CHECK(migration.version == ++version);
            const Script& script = connection.script_of(migration);
            NEXA_CHECK(!script.text.empty() && script.sha256.size() == 64);
        }
    }
}

/// Compares what was applied with what this program has. Returns how many were.
Result<std::size_t> count_applied(Connection& connection, const MigrationSet& set) {
    TRY(const auto rows, connection.query(sql::kListMigrations, {{"module", set.module}}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t version = rows[i].int64("version");
        const std::string& name = rows[i].text("name");
        if (version != static_cast<std::int64_t>(i) + 1) {
            return Error::data_loss(
                "migration {} of {} was applied, but {} is missing from nexa_migration",
                version,
                set.module,
                i + 1
            );
        }
        if (i >= set.migrations.size()) {
            return Error::conflict(
                       "the database is newer than this program: {} has migration {:04}_{}, the "
                       "program knows {}",
                       set.module,
                       version,
                       name,
                       set.migrations.size()
            )
                .hint("start the newer program, or restore the backup made before the upgrade");
        }
        const Migration& known = set.migrations[i];
        if (rows[i].text("sha256") != connection.script_of(known).sha256) {
            return Error::conflict(
                       "{} has another text than when it was applied as {}",
                       title(set, known.version, known.name),
                       name
            )
                .hint("restore its text, and change tables by a new migration");
        }
    }
    return rows.size();
}

Status apply(Connection& connection, const MigrationSet& set, const Migration& migration) {
    const Script& script = connection.script_of(migration);
    TRY_STATUS(connection.run_script(script.text));
    TRY_STATUS(connection.execute(
        sql::kAddMigration,
        {
            {"module", set.module},
            {"version", migration.version},
            {"name", migration.name},
            {"sha256", script.sha256},
        }
    ));
    return {};
}

Result<std::size_t> apply_missing(Connection& connection, std::span<const MigrationSet> sets) {
    TRY_STATUS(connection.execute(sql::kCreateMigrationTable, {}));
    // Nothing runs unless everything that was applied is as this program knows it.
    std::vector<std::pair<const MigrationSet*, const Migration*>> missing;
    for (const MigrationSet& set : sets) {
        TRY(const std::size_t applied, count_applied(connection, set));
        for (const Migration& migration : set.migrations.subspan(applied)) {
            missing.emplace_back(&set, &migration);
        }
    }
    for (const auto& [set, migration] : missing) {
        if (auto status = apply(connection, *set, *migration); !status) {
            return std::move(status).error().while_doing(
                title(*set, migration->version, migration->name)
            );
        }
    }
    if (!missing.empty()) {
        TRY_STATUS(connection.check_foreign_keys());
    }
    return missing.size();
}

}  // namespace

Result<std::size_t> migrate(Database& database, std::span<const MigrationSet> sets) {
    const WritingConnection connection(database);
    check_sets(*connection, sets);
    TRY_STATUS(connection->begin(Access::kMigrate));
    TRY_STATUS(connection->prepare_migrations());
    // On an error, giving the connection back rolls back.
    TRY(const std::size_t applied, apply_missing(*connection, sets));
    TRY_STATUS(connection->commit());
    return applied;
}

}  // namespace nexa::db
