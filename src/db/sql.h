// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace nexa::db {

/// One statement in both dialects. Made at build time from sql/{sqlite,postgres}/NAME.sql of a
/// module (tools/embed_sql.py). Parameters are written `:name`.
struct Sql {
    std::string_view name;  ///< "orchestration/claim": for messages
    std::string_view sqlite;
    std::string_view postgres;
};

/// A migration's statements in one dialect.
struct Script {
    std::string_view text;
    std::string_view sha256;  ///< of the text, in hex
};

/// One step from a module's old tables to its new ones.
struct Migration {
    int version = 0;  ///< 1, 2, 3, … without gap
    std::string_view name;
    Script sqlite;
    Script postgres;
};

/// All migrations of a module, oldest first.
struct MigrationSet {
    std::string_view module;
    std::span<const Migration> migrations;
};

}  // namespace nexa::db
