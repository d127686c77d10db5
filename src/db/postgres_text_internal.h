// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nexa::db {

/// SQL text as PostgreSQL's protocol takes it, and what has to be known about it.
struct PostgresText {
    std::string text;                     ///< with $1 for the first of `parameters`, and so on
    std::vector<std::string> parameters;  ///< without the colon, each once
    std::size_t statements = 0;
    bool has_number = false;             ///< $1 stood in it
    bool controls_transactions = false;  ///< BEGIN, COMMIT, SAVEPOINT and their like
};

/// Reads through literals, quoted names, comments and casts. A slice of an array is written with
/// spaces, `a[1 : n]`, since `:n` is a parameter.
PostgresText parse_postgres_text(std::string_view text);

}  // namespace nexa::db
