// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "db/database.h"
#include "db/sqlite.h"
#include "db/writer.h"

namespace nexa::db {

/// For the tests of this module: a folder that is gone with the object.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "nexa_db_XXXXXX";
        NEXA_CHECK(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A statement for a test, the same in both dialects.
constexpr Sql statement(std::string_view text) {
    return {.name = "test", .sqlite = text, .postgres = text};
}

/// Opens or fails loudly.
inline std::unique_ptr<Database> open_or_die(const SqliteOptions& options, const Clock& clock) {
    auto database = open_sqlite(options, clock);
    if (!database) {
        std::fputs(database.error().to_string().c_str(), stderr);
    }
    NEXA_CHECK(database.has_value());
    return *std::move(database);
}

/// The first column of the first row, an integer.
inline std::int64_t number(Database& database, const Sql& sql) {
    auto row = database.read([&](Tx& tx) { return tx.query_one(sql); });
    if (!row) {
        std::fputs(row.error().to_string().c_str(), stderr);
    }
    NEXA_CHECK(row && *row);
    return (*row)->int64(0);
}

/// Runs a statement in a transaction of its own.
inline Status change(Writer& writer, const Sql& sql, const Params& params = {}) {
    return writer.run([&](Tx& tx) -> Status {
        auto changed = tx.execute(sql, params);
        return changed ? Status() : Status(changed.error());
    });
}

}  // namespace nexa::db
