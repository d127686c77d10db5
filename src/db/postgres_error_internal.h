// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"

namespace nexa::db {

struct ClearPgResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ClearPgResult>;

/// An error of PostgreSQL and what it means for the transaction it came in.
struct PostgresFailure {
    Error error;
    /// Nothing was written, and the whole transaction may work if it is tried again: a deadlock, a
    /// lock that another held too long, a server that goes away.
    bool may_work_again = false;
};

/// By the five characters of `sqlstate`; empty: the connection broke. `doing` starts the message:
/// "statement orchestration/claim". `writing`: the transaction was meant to write.
PostgresFailure postgres_failure(
    std::string_view sqlstate, std::string_view message, std::string_view doing, bool writing
);

/// libpq's message on one line.
std::string one_line(const char* message);

}  // namespace nexa::db
