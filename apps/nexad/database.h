// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/file.h"
#include "core/result.h"
#include "core/storage_paths.h"
#include "db/database.h"
#include "protocol/backup_info.h"
#include "settings.h"

namespace nexa::nexad {

struct OpenedDatabase {
    UniqueFd lock;  ///< of a folder with SQLite, which one server uses at a time
    std::unique_ptr<db::Database> database;
    std::string shown;  ///< for the log: no password
};

/// Opens what `db.url` says, SQLite in `dir` without one, with all tables of this program's
/// version. Makes what is missing. Blocks.
/// Errors: kConflict (another server uses the folder), those of the drivers and of migrate().
Result<OpenedDatabase> open_database(
    const Settings& settings, const StoragePaths& paths, const Clock& clock
);

/// The same database for reading alone, also while a server uses it: tables stay as they are.
/// Errors: kNotFound (no SQLite database in `dir`), those of the drivers.
Result<OpenedDatabase> look_into_database(
    const Settings& settings, const StoragePaths& paths, const Clock& clock
);

/// A SQLite database in a file of its own, with all tables of this program's version.
Result<OpenedDatabase> open_sqlite_file(const std::filesystem::path& file, const Clock& clock);

/// Copies all rows of all tables, all or nothing. Errors: those of db::copy_tables().
Result<std::vector<protocol::TableCount>> copy_database(db::Database& from, db::Database& to);

/// Copies everything from the SQLite database in `dir` into the empty PostgreSQL database that
/// `db.url` names; the file stays as it is. All or nothing. Blocks.
/// Errors: kInvalidArgument (no `db.url`), kNotFound (no SQLite database), kConflict (a server uses
/// the folder; the target is not empty), those of the drivers.
Result<protocol::MigrationReport> copy_to_postgres(const Settings& settings, const Clock& clock);

}  // namespace nexa::nexad
