// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <string_view>

#include "core/error.h"

namespace nexa::db {

/// What SQLite's (extended) result code of the call just made on `connection` means to us.
/// `doing` starts the message: "statement orchestration/claim".
Error sqlite_error(sqlite3* connection, int code, std::string_view doing);

}  // namespace nexa::db
