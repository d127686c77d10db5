// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>

#include "core/result.h"
#include "db/postgres.h"

namespace nexa::db {

struct FinishPg {
    void operator()(PGconn* connection) const { PQfinish(connection); }
};

/// Names a session among all that the server ever has.
struct PostgresSessionId {
    std::string pid;
    std::string began;  ///< process numbers come again
};

/// A connection with our settings made.
struct PostgresSession {
    std::unique_ptr<PGconn, FinishPg> connection;
    PostgresSessionId id;
    /// Whether nexa_commit is there, where writing transactions leave their mark.
    bool marks_commits = false;
};

/// Blocks. Errors: as open_postgres().
Result<PostgresSession> connect_postgres(const PostgresOptions& options);

}  // namespace nexa::db
