// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_error_internal.h"

#include <cerrno>
#include <utility>

namespace nexa::db {

namespace {

Error disk_full(std::string_view doing) {
    return Error::unavailable("{}: disk full", doing).hint("free space where the database lies");
}

/// SQLITE_IOERR and its many kinds.
Error io_error(sqlite3* connection, int code, std::string_view doing) {
    const int system = sqlite3_system_errno(connection);
    if (code == SQLITE_IOERR_NOMEM) {
        return Error::resource_exhausted("{}: out of memory", doing);
    }
    if (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_CORRUPTFS) {
        return Error::data_loss("{}: the database file is damaged (I/O error {})", doing, code);
    }
    if (system == ENOSPC || system == EDQUOT) {
        return disk_full(doing);
    }
    return Error::unavailable("{}: disk error {} (errno {})", doing, code, system);
}

Error constraint(sqlite3* connection, int code, std::string_view doing) {
    // A value of the wrong type for a STRICT column is the program's mistake, not a state.
    if (code == SQLITE_CONSTRAINT_DATATYPE || code == SQLITE_CONSTRAINT_FUNCTION) {
        return Error::internal("{}: {}", doing, sqlite3_errmsg(connection));
    }
    return Error::conflict("{}: {}", doing, sqlite3_errmsg(connection));
}

}  // namespace

Error sqlite_error(sqlite3* connection, int code, std::string_view doing) {
    const char* message = sqlite3_errmsg(connection);
    switch (code & 0xFF) {
        case SQLITE_FULL:
            return disk_full(doing);
        case SQLITE_IOERR:
            return io_error(connection, code, doing);
        case SQLITE_CANTOPEN:
            if (sqlite3_system_errno(connection) == ENOSPC) {
                return disk_full(doing);
            }
            return Error::unavailable("{}: {}", doing, message);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return Error::unavailable("{}: the database is locked by another process", doing);
        case SQLITE_CONSTRAINT:
            return constraint(connection, code, doing);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Error::data_loss("{}: {}", doing, message)
                .hint("restore the database from a backup");
        case SQLITE_NOMEM:
            return Error::resource_exhausted("{}: out of memory", doing);
        case SQLITE_TOOBIG:
            return Error::invalid_argument("{}: a value is too big for the database", doing);
        case SQLITE_READONLY:
            // A reading connection refuses writes with the plain code; the others are the disk's.
            if (code != SQLITE_READONLY) {
                return Error::unavailable("{}: {}", doing, message);
            }
            break;
        default:
            break;
    }
    return Error::internal("{}: {}", doing, message);
}

}  // namespace nexa::db
