// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <sqlite3.h>

#include <system_error>
#include <utility>

#include "core/check.h"
#include "db/sqlite_connection_internal.h"

namespace nexa::db {

namespace {

class SqliteConnector final : public Connector {
public:
    SqliteConnector(SqliteOptions options, const Clock& clock)
        : options_(std::move(options)), clock_(clock) {}

    Result<std::unique_ptr<Connection>> connect_reader() override {
        return SqliteConnection::open(options_, clock_, SqliteConnection::Role::kReader);
    }

private:
    const SqliteOptions options_;
    const Clock& clock_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options, const Clock& clock) {
    // Built without threads, SQLite would share state between our connections unguarded.
    NEXA_CHECK(sqlite3_threadsafe() != 0);
    if (options.path.empty() || options.path.native().find('\0') != std::string::npos) {
        return Error::invalid_argument("is no file name").at("path");
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(options.path, ignored)) {
        return Error::invalid_argument("{} is a folder, not a file", options.path.string())
            .at("path");
    }
    SqliteOptions settled = options;
    if (settled.path.is_relative()) {
        // ":memory:" and the like are ordinary file names here.
        settled.path = "." / settled.path;
    }
    TRY(auto writing, SqliteConnection::open(settled, clock, SqliteConnection::Role::kWriter));
    return std::make_unique<Database>(
        std::make_unique<SqliteConnector>(settled, clock), std::move(writing), settled.readers
    );
}

}  // namespace nexa::db
