// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "db/database.h"

namespace nexa::db {

struct SqliteOptions {
    std::filesystem::path path;  ///< a file, made if absent (mode 0600); its folder must be there
    ReaderOptions readers = {};
    /// How long one statement waits for a lock that another process holds.
    std::chrono::milliseconds busy_timeout{1'000};
    std::int64_t cache_bytes = 16 << 20;  ///< of each connection
    std::int64_t mmap_bytes = 0;       ///< 0: none; else a failing disk is a signal, not an error
    std::size_t rows_max = 1'000'000;  ///< in one result
    std::string vfs = {};  ///< a file system layer registered with SQLite; empty: the usual one
};

/// Opens a database file for this process: write-ahead log, every commit synced to the disk
/// (synchronous=FULL), foreign keys enforced, text in double quotes never a string.
/// Several processes may open the same file; one at a time writes.
///
/// In statements, nexa_now() is the transaction's time in microseconds, taken from `clock` once
/// the transaction has begun. It may not stand in a schema (DEFAULT, CHECK, trigger).
/// `clock` outlives the database.
///
/// Blocks. Errors: kInvalidArgument (no path, or one that is no file's), kUnavailable (cannot be
/// opened, disk, lock), kDataLoss (no SQLite database, or a damaged one).
Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options, const Clock& clock);

}  // namespace nexa::db
