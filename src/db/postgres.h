// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "db/database.h"

namespace nexa::db {

struct PostgresOptions {
    /// postgres://USER:PASSWORD@HOST:PORT/DATABASE?…, with everything that libpq takes: several
    /// hosts, Unix sockets, sslmode, sslrootcert, passfile, options=-csearch_path=… What it leaves
    /// out libpq takes from its own variables (PGHOST and so on) and files.
    std::string url;
    ReaderOptions readers = {};
    /// How long one statement waits for a lock of another coordinator before its batch is tried
    /// again.
    std::chrono::milliseconds lock_timeout{10'000};
    std::chrono::milliseconds statement_timeout{60'000};  ///< of one statement; 0: none
    /// The server ends a transaction in which nothing was asked for so long, so that a coordinator
    /// that hangs keeps no lock. 0: none.
    std::chrono::milliseconds idle_timeout{30'000};
    std::size_t rows_max = 1'000'000;  ///< in one result
    /// Tests alone: the time of transactions instead of the server's. Their database has a
    /// nexa_now() of its own, which reads the setting nexa.test_now.
    const Clock* test_clock = nullptr;
};

/// What an URL says, in two parts: one to show, one never.
struct PostgresTarget {
    std::string shown;     ///< "postgres://user@host:5432/database": without password and options
    std::string password;  ///< empty if the URL has none
};
/// Errors: kInvalidArgument, without a word of the URL.
Result<PostgresTarget> parse_postgres_url(std::string_view url);

/// Opens a PostgreSQL database (13 or newer, encoding UTF8) that any number of processes may use at
/// the same time. Writing transactions are READ COMMITTED, reading ones REPEATABLE READ READ ONLY;
/// synchronous_commit is never off. The time zone is UTC, and nexa_now(), which migrate() makes, is
/// the server's transaction time in microseconds.
///
/// A connection that is lost is made anew by the next transaction. The writer tries again what was
/// lost before COMMIT; where COMMIT itself got no answer it asks the server what became of the
/// transaction (docs/decisions/0190-postgresql.md). Not for a pooler that shares sessions between
/// transactions: statements stay prepared, and the outcome of a COMMIT is asked by session.
///
/// No error and no log line holds the password. `test_clock` outlives the database.
///
/// Blocks. Errors: kInvalidArgument (no such URL, a server too old or with another encoding),
/// kUnavailable (no server, wrong password, too many connections).
Result<std::unique_ptr<Database>> open_postgres(const PostgresOptions& options);

}  // namespace nexa::db
