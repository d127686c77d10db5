// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_connection_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/check.h"
#include "db/sqlite_error_internal.h"

namespace nexa::db {

namespace {

/// More than any program has: beyond it, statements are being made up at run time, and the cache
/// starts anew instead of growing without end.
constexpr std::size_t kStatementsMax = 1'000;
/// What is left of the write-ahead log's file once its content is in the database.
constexpr std::int64_t kLogBytesKept = 64 << 20;

/// SQLite makes files that everyone may read. The log and its index take over the mode of this one.
void make_private_file(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    // Only a file that did not exist may be closed here: closing another descriptor of an open
    // database drops this process's locks on it. Any error will be SQLite's to report.
    if (file >= 0) {
        ::close(file);
    }
}

int collect_first_column(void* into, int count, char** values, char** /*names*/) {
    if (count > 0 && values[0] != nullptr) {
        static_cast<std::set<std::string>*>(into)->emplace(values[0]);
    }
    return 0;
}

}  // namespace

Result<std::unique_ptr<Connection>> SqliteConnection::open(
    const SqliteOptions& options, const Clock& clock, Role role
) {
    const bool writes = role == Role::kWriter;
    if (writes && options.vfs.empty()) {
        make_private_file(options.path);
    }
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(
        options.path.c_str(),
        &opened,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
            (writes ? SQLITE_OPEN_CREATE : 0),
        options.vfs.empty() ? nullptr : options.vfs.c_str()
    );
    Handle handle(opened);
    const std::string doing = fmt::format("open database {}", options.path.string());
    if (code != SQLITE_OK) {
        return sqlite_error(opened, code, doing);
    }
    auto connection = std::unique_ptr<SqliteConnection>(
        new SqliteConnection(std::move(handle), clock, options.rows_max)
    );
    if (auto status = connection->configure(options, role); !status) {
        return std::move(status).error().while_doing(doing);
    }
    return connection;
}

SqliteConnection::SqliteConnection(Handle connection, const Clock& clock, std::size_t rows_max)
    : connection_(std::move(connection)), clock_(clock), rows_max_(rows_max) {}

Status SqliteConnection::configure(const SqliteOptions& options, Role role) {
    sqlite3* const db = connection_.get();
    sqlite3_busy_timeout(db, static_cast<int>(options.busy_timeout.count()));
    for (const auto& [option, value] : {
             std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
             std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
             std::pair{SQLITE_DBCONFIG_DQS_DML, 0},
             std::pair{SQLITE_DBCONFIG_DQS_DDL, 0},
         }) {
        TRY_STATUS(check(sqlite3_db_config(db, option, value, nullptr), "configure SQLite"));
    }
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    if (role == Role::kWriter) {
        TRY_STATUS(use_write_ahead_log());
    }
    TRY_STATUS(exec(
        fmt::format(
            "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
            "PRAGMA cache_size=-{}; PRAGMA mmap_size={}; PRAGMA journal_size_limit={};"
            "PRAGMA query_only={};",
            options.cache_bytes / 1024,
            options.mmap_bytes,
            kLogBytesKept,
            role == Role::kReader ? "ON" : "OFF"
        ),
        "set up the connection"
    ));
    TRY_STATUS(register_now());
    return check(sqlite3_set_authorizer(db, &authorize, this), "configure SQLite");
}

Status SqliteConnection::use_write_ahead_log() {
    if (sqlite3_db_readonly(connection_.get(), "main") != 0) {
        return Error::unavailable("the file may not be written").hint("check its owner and mode");
    }
    std::set<std::string> mode;
    const int code = sqlite3_exec(
        connection_.get(), "PRAGMA journal_mode=WAL", &collect_first_column, &mode, nullptr
    );
    TRY_STATUS(check(code, "switch to the write-ahead log"));
    if (!mode.contains("wal")) {
        return Error::unavailable("this file system holds no write-ahead log")
            .hint("put the database on a local disk");
    }
    return {};
}

Status SqliteConnection::register_now() {
    const auto now_function = [](sqlite3_context* context, int, sqlite3_value**) {
        const auto* self = static_cast<const SqliteConnection*>(sqlite3_user_data(context));
        sqlite3_result_int64(context, self->now_.time_since_epoch().count());
    };
    // Deterministic in SQLite's sense: the same within one statement. "Direct only" keeps it out
    // of the schema, where its value would come from whichever transaction happens to run.
    const int code = sqlite3_create_function_v2(
        connection_.get(),
        "nexa_now",
        0,
        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
        this,
        now_function,
        nullptr,
        nullptr,
        nullptr
    );
    return check(code, "register nexa_now");
}

/// Statements of the modules may not end the transaction that they run in.
int SqliteConnection::authorize(
    void* self,
    int action,
    const char* /*first*/,
    const char* /*second*/,
    const char* /*schema*/,
    const char* /*trigger*/
) {
    const bool ends_transactions = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT;
    return ends_transactions && !static_cast<SqliteConnection*>(self)->controlling_ ? SQLITE_DENY
                                                                                    : SQLITE_OK;
}

Status SqliteConnection::check(int code, std::string_view doing) {
    last_error_was_busy_ = false;
    if (code == SQLITE_OK || code == SQLITE_DONE) {
        return {};
    }
    const int primary = code & 0xFF;
    last_error_was_busy_ =
        primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
    return sqlite_error(connection_.get(), code, doing);
}

Status SqliteConnection::exec(const std::string& text, std::string_view doing) {
    return check(sqlite3_exec(connection_.get(), text.c_str(), nullptr, nullptr, nullptr), doing);
}

Status SqliteConnection::control(std::string_view text) {
    controlling_ = true;
    const Status status = [&]() -> Status {
        TRY(SqliteStatement* const statement, prepared(text, text));
        std::vector<Row> rows;
        return check(statement->run({}, 1, rows).code, text);
    }();
    controlling_ = false;
    return status;
}

Result<SqliteStatement*> SqliteConnection::prepared(std::string_view name, std::string_view text) {
    Statements& known = controlling_ ? control_statements_ : statements_;
    if (const auto found = known.find(text); found != known.end()) {
        return found->second.get();
    }
    if (known.size() == kStatementsMax) {
        known.clear();
    }
    TRY(auto statement, SqliteStatement::prepare(connection_.get(), name, text));
    return known.emplace(text, std::move(statement)).first->second.get();
}

Status SqliteConnection::begin(Access access) {
    NEXA_CHECK(!in_transaction());
    if (access == Access::kMigrate) {
        // Rebuilding a table drops the old one, which would delete what refers to it.
        migrating_ = true;
        TRY_STATUS(exec("PRAGMA foreign_keys=OFF", "turn foreign keys off"));
    }
    TRY_STATUS(control(access == Access::kRead ? "BEGIN" : "BEGIN IMMEDIATE"));
    if (access == Access::kRead) {
        // Takes the snapshot now, so that nothing in it is younger than now().
        TRY_STATUS(control("SELECT 1 FROM sqlite_schema LIMIT 1"));
    }
    now_ = clock_.now();
    return {};
}

Status SqliteConnection::commit() {
    TRY_STATUS(control("COMMIT"));
    if (std::exchange(migrating_, false)) {
        TRY_STATUS(exec("PRAGMA foreign_keys=ON", "turn foreign keys on"));
    }
    return {};
}

void SqliteConnection::rollback() {
    if (in_transaction()) {
        // Its own error changes nothing: afterwards the transaction is over, as the check says.
        static_cast<void>(control("ROLLBACK"));
        NEXA_CHECK(!in_transaction());
    }
    if (std::exchange(migrating_, false)) {
        NEXA_CHECK(exec("PRAGMA foreign_keys=ON", "turn foreign keys on").has_value());
    }
}

bool SqliteConnection::in_transaction() const {
    return sqlite3_get_autocommit(connection_.get()) == 0;
}

Status SqliteConnection::begin_entry() {
    return control("SAVEPOINT entry");
}

Status SqliteConnection::keep_entry() {
    // What is broken now would fail COMMIT, and with it the other entries of the batch.
    int broken = 0;
    int highest = 0;
    sqlite3_db_status(connection_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &broken, &highest, 0);
    if (broken != 0) {
        return Error::conflict("end of the entry: FOREIGN KEY constraint failed");
    }
    return control("RELEASE entry");
}

Status SqliteConnection::undo_entry() {
    TRY_STATUS(control("ROLLBACK TO entry"));
    return control("RELEASE entry");
}

Result<std::int64_t> SqliteConnection::execute(const Sql& sql, const Params& params) {
    NEXA_CHECK(in_transaction());
    TRY(SqliteStatement* const statement, prepared(sql.name, sql.sqlite));
    NEXA_CHECK(!statement->gives_rows());  // query() is for those
    const std::int64_t before = sqlite3_total_changes64(connection_.get());
    TRY_STATUS(run(*statement, params));
    // SQLite's count of changes is that of the last statement which made any.
    const bool changed = sqlite3_total_changes64(connection_.get()) != before;
    return changed ? std::int64_t{sqlite3_changes64(connection_.get())} : 0;
}

Result<std::vector<Row>> SqliteConnection::query(const Sql& sql, const Params& params) {
    NEXA_CHECK(in_transaction());
    TRY(SqliteStatement* const statement, prepared(sql.name, sql.sqlite));
    return run(*statement, params);
}

Result<std::vector<Row>> SqliteConnection::run(SqliteStatement& statement, const Params& params) {
    std::vector<Row> rows;
    const SqliteStatement::Outcome outcome = statement.run(params, rows_max_, rows);
    if (outcome.too_many_rows) {
        return Error::resource_exhausted(
            "statement {} gives more than {} rows", statement.name(), rows_max_
        );
    }
    TRY_STATUS(check(outcome.code, fmt::format("statement {}", statement.name())));
    return rows;
}

const Script& SqliteConnection::script_of(const Migration& migration) const {
    return migration.sqlite;
}

Status SqliteConnection::run_script(std::string_view text) {
    NEXA_CHECK(in_transaction());
    return exec(std::string(text), "run the script");
}

Status SqliteConnection::check_foreign_keys() {
    std::set<std::string> tables;
    const int code = sqlite3_exec(
        connection_.get(), "PRAGMA foreign_key_check", &collect_first_column, &tables, nullptr
    );
    TRY_STATUS(check(code, "check foreign keys"));
    if (!tables.empty()) {
        return Error::conflict("rows of {} refer to nothing", fmt::join(tables, ", "));
    }
    return {};
}

}  // namespace nexa::db
