// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/file.h"
#include "core/result.h"
#include "core/storage_paths.h"
#include "db/copy.h"
#include "db/database.h"
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

/// Copies everything from the SQLite database in `dir` into the empty PostgreSQL database that
/// `db.url` names; the file stays as it is. All or nothing. Blocks.
/// Errors: kInvalidArgument (no `db.url`), kNotFound (no SQLite database), kConflict (a server uses
/// the folder; the target is not empty), those of the drivers.
Result<std::vector<db::CopiedTable>> copy_to_postgres(const Settings& settings, const Clock& clock);

}  // namespace nexa::nexad
