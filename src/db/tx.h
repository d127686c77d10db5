// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/result.h"
#include "db/row.h"
#include "db/sql.h"
#include "db/value.h"

namespace nexa::db {

class Connection;

/// An open transaction, lent for the time of one call: Database::read() lends reading ones,
/// Writer's entries get writing ones. Blocks on the disk. For one thread; not to be kept.
///
/// A statement that fails ends the transaction: what follows gives the same error again, and even
/// if the caller ignores it nothing is committed. (PostgreSQL works like that; both do so here.)
/// So what may clash says ON CONFLICT instead of looking at an error.
///
/// Errors of every statement: kConflict (a constraint; the message names it), kUnavailable (disk
/// full, disk error, locked by another process), kInvalidArgument (text that is no UTF-8 or holds a
/// NUL byte, a value too big for the database), kResourceExhausted (memory; more rows than the
/// database's limit), kDataLoss (the file is damaged), kInternal (bad SQL, a write inside
/// Database::read()). A parameter that is missing or that the statement does not have is our bug
/// and aborts.
class Tx {
public:
    explicit Tx(Connection& connection) : connection_(connection) {}
    Tx(const Tx&) = delete;
    Tx& operator=(const Tx&) = delete;

    /// Runs a statement that gives no rows. Returns how many rows it changed.
    Result<std::int64_t> execute(const Sql& sql, const Params& params = {});
    /// Runs a statement (also one with RETURNING, whose rows come in no order) and reads all rows.
    Result<std::vector<Row>> query(const Sql& sql, const Params& params = {});
    /// The same for a statement that gives at most one row; a second one is our bug and aborts.
    Result<std::optional<Row>> query_one(const Sql& sql, const Params& params = {});

    /// The database's own time, frozen when the transaction began: what now() (PostgreSQL) or
    /// nexa_now() (SQLite, in microseconds) says in its statements.
    Timestamp now() const;

    /// The error that ended this transaction, if any.
    const std::optional<Error>& failure() const { return failure_; }

private:
    Status admit(const Sql& sql, const Params& params);
    template <class T>
    Result<T> note(Result<T> result);

    Connection& connection_;
    std::optional<Error> failure_;
};

}  // namespace nexa::db
