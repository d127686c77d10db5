// SPDX-License-Identifier: Apache-2.0
#include "db/postgres_connection_internal.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/check.h"
#include "db/postgres_text_internal.h"
#include "db/postgres_value_internal.h"

namespace nexa::db {

namespace {

/// More than any program has: beyond it, statements are being made up at run time.
constexpr std::size_t kStatementsMax = 1'000;
/// The server remembers 64 nested transactions of each session in shared memory; with more, every
/// other session looks on the disk for who sees what.
constexpr std::size_t kEntriesMax = 60;
/// Any number that no other program locks: "nexa".
constexpr std::int64_t kMigrationLock = 0x6E657861;
constexpr int kBinary = 1;

/// That is how PostgreSQL says that a prepared statement gives other columns now.
constexpr std::string_view kFeatureNotSupported = "0A000";

/// Tests alone move the time; then their nexa_now() reads this setting.
constexpr std::string_view kServerTime =
    "SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint";

/// Made with the first migration of a database. Not to be changed: what is there is left alone.
constexpr const char* kMakeCommits =
    "CREATE TABLE IF NOT EXISTS nexa_commit ("
    " session text COLLATE \"C\" PRIMARY KEY, number bigint NOT NULL, at bigint NOT NULL);"
    // A day later nobody asks any more.
    "DELETE FROM nexa_commit WHERE at < nexa_now() - 86400000000";
constexpr const char* kMakeNow =
    "CREATE FUNCTION nexa_now() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS "
    "'SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint'";

[[noreturn]] void refuse(std::string_view name, std::string_view what, std::string_view detail) {
    const std::string text = fmt::format("statement {} {} {}", name, what, detail);
    check_failed(text.c_str(), __FILE__, __LINE__);
}

std::string name_of(const PostgresSessionId& session) {
    return fmt::format("{} {}", session.pid, session.began);
}

std::int64_t number_in(const char* text) {
    std::int64_t number = 0;
    const std::string_view digits = text;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

void check_text(std::string_view name, const PostgresText& parsed) {
    if (parsed.statements == 0) {
        refuse(name, "is empty", "");
    }
    if (parsed.statements > 1) {
        refuse(name, "holds more than one statement", "");
    }
    if (parsed.has_number) {
        refuse(name, "has a parameter that is not written :name", "");
    }
}

}  // namespace

Result<std::unique_ptr<Connection>> PostgresConnection::open(const PostgresOptions& options) {
    TRY(auto session, connect_postgres(options));
    return std::unique_ptr<PostgresConnection>(new PostgresConnection(options, std::move(session)));
}

PostgresConnection::PostgresConnection(PostgresOptions options, PostgresSession session)
    : options_(std::move(options)), session_(std::move(session)) {}

std::size_t PostgresConnection::entries_max() const {
    return kEntriesMax;
}

/// The statements of the lost session are gone with it.
Status PostgresConnection::reconnect() {
    statements_.clear();
    is_stale_ = false;
    auto session = connect_postgres(options_);
    if (!session) {
        may_work_again_ = session.error().code == ErrorCode::kUnavailable;
        return std::move(session).error();
    }
    session_ = *std::move(session);
    return {};
}

Error PostgresConnection::fail(const PGresult* result, std::string_view doing) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    // The primary message alone: the details repeat the values of the row.
    auto failure = postgres_failure(
        is_lost() || state == nullptr ? "" : state,
        one_line(primary != nullptr ? primary : PQerrorMessage(pg())),
        doing,
        access_ != Access::kRead
    );
    may_work_again_ = failure.may_work_again;
    if (state != nullptr && std::string_view(state) == kFeatureNotSupported && primary != nullptr &&
        std::string_view(primary).contains("cached plan")) {
        is_stale_ = may_work_again_ = true;
        return Error::unavailable("{}: its table has changed", doing);
    }
    return std::move(failure.error);
}

/// Runs statements of our own. Gives the result of the last one.
Result<PgResult> PostgresConnection::control(const std::string& text, std::string_view doing) {
    PgResult result(PQexec(pg(), text.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        return fail(result.get(), doing);
    }
    may_work_again_ = false;
    return result;
}

std::string PostgresConnection::beginning(Access access) const {
    // One message for all, so that a transaction begins in one round trip. With REPEATABLE READ the
    // SELECT takes the snapshot.
    std::string text = access == Access::kRead ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                                               : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;";
    if (access == Access::kMigrate) {
        // A big table takes its time, and so may another coordinator that migrates.
        text +=
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
            "SET LOCAL lock_timeout = '10min';";
    }
    if (options_.test_clock != nullptr) {
        text += fmt::format(
            "SELECT set_config('nexa.test_now', '{}', true)",
            options_.test_clock->now().time_since_epoch().count()
        );
    } else {
        text += kServerTime;
    }
    return text;
}

Status PostgresConnection::try_begin(Access access) {
    if (is_lost()) {
        TRY_STATUS(reconnect());
    } else if (is_stale_) {
        TRY_STATUS(forget_statements());
    }
    TRY(const PgResult result, control(beginning(access), "begin"));
    now_ = Timestamp{std::chrono::microseconds{number_in(PQgetvalue(result.get(), 0, 0))}};
    return {};
}

Status PostgresConnection::begin(Access access) {
    NEXA_CHECK(!in_transaction());
    access_ = access;
    has_written_ = false;
    open_commit_.reset();
    const bool had_session = !is_lost();
    Status status = try_begin(access);
    // One that broke while it was idle, as after a restart of the server, is only noticed now.
    if (!status && had_session && is_lost()) {
        status = try_begin(access);
    }
    return status;
}

/// The mark is a row of this session with the number of its newest transaction: whoever finds it
/// knows that the transaction is there, on this server or on a standby that took over. The number
/// that PostgreSQL itself gives to a transaction would not do: after a crash it is given again.
std::string PostgresConnection::ending() {
    if (!has_written_ || !session_.marks_commits) {
        return "COMMIT";
    }
    return fmt::format(
        "INSERT INTO nexa_commit (session, number, at) VALUES ('{}', {}, nexa_now())"
        " ON CONFLICT (session) DO UPDATE SET number = excluded.number, at = excluded.at;"
        "COMMIT",
        name_of(session_.id),
        ++transactions_
    );
}

Status PostgresConnection::commit() {
    const bool is_marked = has_written_ && session_.marks_commits;
    const PgResult result(PQexec(pg(), ending().c_str()));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
        Error error = fail(result.get(), "COMMIT");
        if (is_lost() && has_written_) {
            // One that wrote nothing may run again whatever became of it.
            may_work_again_ = false;
            if (is_marked) {
                open_commit_ = session_.id;
            }
        }
        return error;
    }
    may_work_again_ = false;
    // That is how PostgreSQL ends a transaction that had failed.
    if (std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
        return Error::internal("COMMIT of a transaction that had failed");
    }
    return {};
}

Outcome PostgresConnection::find_outcome() {
    NEXA_CHECK(open_commit_.has_value());
    if (is_lost() && !reconnect()) {
        return Outcome::kNotYetKnown;
    }
    const Outcome outcome = ask_outcome(*open_commit_);
    if (outcome != Outcome::kNotYetKnown) {
        open_commit_.reset();
        may_work_again_ = outcome == Outcome::kRolledBack;
    }
    return outcome;
}

Outcome PostgresConnection::ask_outcome(const PostgresSessionId& asked) {
    // The lost session may not have noticed, hold its locks and still be about to commit.
    const auto there = control(
        fmt::format(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid = {} AND backend_start = '{}'",
            asked.pid,
            asked.began
        ),
        "end a lost session"
    );
    if (!there) {
        return is_lost() ? Outcome::kNotYetKnown : Outcome::kUnknowable;
    }
    if (number_in(PQgetvalue(there->get(), 0, 0)) != 0) {
        return Outcome::kNotYetKnown;
    }
    const auto found = control(
        fmt::format(
            "SELECT count(*) FROM nexa_commit WHERE session = '{}' AND number = {}",
            name_of(asked),
            transactions_
        ),
        "ask how a transaction ended"
    );
    if (!found) {
        return is_lost() ? Outcome::kNotYetKnown : Outcome::kUnknowable;
    }
    return number_in(PQgetvalue(found->get(), 0, 0)) == 1 ? Outcome::kCommitted
                                                          : Outcome::kRolledBack;
}

void PostgresConnection::rollback() {
    open_commit_.reset();
    if (in_transaction()) {
        const bool again = may_work_again_;
        static_cast<void>(control("ROLLBACK", "ROLLBACK"));
        may_work_again_ = again;
        if (in_transaction()) {
            session_.connection.reset();  // the server ends what it did
        }
    }
}

bool PostgresConnection::in_transaction() const {
    const auto status = is_lost() ? PQTRANS_UNKNOWN : PQtransactionStatus(pg());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

Status PostgresConnection::begin_entry() {
    TRY_STATUS(control("SAVEPOINT entry", "begin an entry"));
    return {};
}

Status PostgresConnection::keep_entry() {
    // What is broken now would fail COMMIT, and with it the other entries of the batch.
    TRY(const PgResult result,
        control(
            "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT entry;"
            "SELECT pg_current_xact_id_if_assigned() IS NOT NULL",
            "end of the entry"
        ));
    has_written_ = std::string_view(PQgetvalue(result.get(), 0, 0)) == "t";
    return {};
}

Status PostgresConnection::undo_entry() {
    TRY_STATUS(control("ROLLBACK TO SAVEPOINT entry; RELEASE SAVEPOINT entry", "undo an entry"));
    return {};
}

Status PostgresConnection::forget_statements() {
    statements_.clear();
    is_stale_ = false;
    TRY_STATUS(control("DEALLOCATE ALL", "forget statements"));
    return {};
}

Result<PostgresConnection::Statement*> PostgresConnection::prepared(
    std::string_view name, std::string_view text
) {
    if (const auto found = statements_.find(text); found != statements_.end()) {
        return found->second.get();
    }
    if (statements_.size() == kStatementsMax) {
        TRY_STATUS(forget_statements());
    }
    TRY(auto statement, prepare(name, text));
    return statements_.emplace(text, std::move(statement)).first->second.get();
}

Result<std::unique_ptr<PostgresConnection::Statement>> PostgresConnection::prepare(
    std::string_view name, std::string_view text
) {
    PostgresText parsed = parse_postgres_text(text);
    check_text(name, parsed);
    if (parsed.controls_transactions) {
        return Error::internal("statement {}: may not end the transaction that it runs in", name);
    }
    auto statement = std::make_unique<Statement>();
    statement->name = name;
    statement->handle = fmt::format("s{}", ++handles_);
    statement->parameters = std::move(parsed.parameters);
    const PgResult result(
        PQprepare(pg(), statement->handle.c_str(), parsed.text.c_str(), 0, nullptr)
    );
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
        return fail(result.get(), fmt::format("statement {}", name));
    }
    TRY_STATUS(describe(*statement));
    return statement;
}

Status PostgresConnection::describe(Statement& statement) {
    const PgResult shape(PQdescribePrepared(pg(), statement.handle.c_str()));
    if (PQresultStatus(shape.get()) != PGRES_COMMAND_OK) {
        return fail(shape.get(), fmt::format("statement {}", statement.name));
    }
    for (int i = 0; i < PQnparams(shape.get()); ++i) {
        statement.types.push_back(PQparamtype(shape.get(), i));
    }
    Columns columns{.statement = statement.name, .names = {}};
    for (int i = 0; i < PQnfields(shape.get()); ++i) {
        columns.names.emplace_back(PQfname(shape.get(), i));
    }
    statement.columns = std::make_shared<const Columns>(std::move(columns));
    return {};
}

Status PostgresConnection::send(const Statement& statement, const Params& params) {
    PostgresParameters bound(statement.parameters.size());
    for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
        const std::string& name = statement.parameters[i];
        const Value* value = params.find(name);
        if (value == nullptr) {
            refuse(statement.name, "lacks its parameter", name);
        }
        if (auto status = bound.add(*value, statement.types[i]); !status) {
            return std::move(status).error().while_doing(
                fmt::format("statement {}: parameter {}", statement.name, name)
            );
        }
    }
    // All it wants were found under different names, so a surplus is one it does not want.
    if (params.size() != statement.parameters.size()) {
        refuse(
            statement.name,
            "was given a parameter too many, it takes",
            fmt::format("{}", statement.parameters.size())
        );
    }
    const int sent = PQsendQueryPrepared(
        pg(),
        statement.handle.c_str(),
        bound.count(),
        bound.values(),
        bound.lengths(),
        bound.formats(),
        kBinary
    );
    if (sent == 0) {
        return fail(nullptr, fmt::format("statement {}", statement.name));
    }
    // Row by row, so that a result which is too big never lies in memory whole.
    NEXA_CHECK(PQsetSingleRowMode(pg()) == 1);
    return {};
}

Status PostgresConnection::read_row(
    const PGresult* result, const Statement& statement, std::vector<Row>& rows
) {
    std::vector<Value> values;
    const int count = PQnfields(result);
    values.reserve(static_cast<std::size_t>(count));
    for (int column = 0; column < count; ++column) {
        auto value = read_postgres_value(result, column);
        if (!value) {
            return std::move(value).error().while_doing(fmt::format("statement {}", statement.name)
            );
        }
        values.push_back(*std::move(value));
    }
    rows.emplace_back(statement.columns, std::move(values));
    return {};
}

Status PostgresConnection::take(PgResult result, const Statement& statement, Yield& yield) {
    switch (PQresultStatus(result.get())) {
        case PGRES_SINGLE_TUPLE:
            if (yield.rows.size() == options_.rows_max) {
                yield.too_many = true;
                return {};
            }
            return read_row(result.get(), statement, yield.rows);
        case PGRES_COMMAND_OK:
            yield.changed = number_in(PQcmdTuples(result.get()));
            return {};
        case PGRES_TUPLES_OK:
            return {};
        default:
            return fail(result.get(), fmt::format("statement {}", statement.name));
    }
}

Result<PostgresConnection::Yield> PostgresConnection::run(
    const Statement& statement, const Params& params
) {
    may_work_again_ = false;
    TRY_STATUS(send(statement, params));
    Yield yield;
    Status status;
    // To the end in any case: the next statement needs the connection free. The first error counts.
    while (PgResult result{PQgetResult(pg())}) {
        if (status) {
            status = take(std::move(result), statement, yield);
        }
    }
    if (status && is_lost()) {
        status = fail(nullptr, fmt::format("statement {}", statement.name));
    }
    TRY_STATUS(std::move(status));
    if (yield.too_many) {
        return Error::resource_exhausted(
            "statement {} gives more than {} rows", statement.name, options_.rows_max
        );
    }
    return yield;
}

Result<std::int64_t> PostgresConnection::execute(const Sql& sql, const Params& params) {
    TRY(Statement* const statement, prepared(sql.name, sql.postgres));
    NEXA_CHECK(!statement->gives_rows());  // query() is for those
    TRY(const Yield yield, run(*statement, params));
    return yield.changed;
}

Result<std::vector<Row>> PostgresConnection::query(const Sql& sql, const Params& params) {
    TRY(Statement* const statement, prepared(sql.name, sql.postgres));
    TRY(Yield yield, run(*statement, params));
    return std::move(yield.rows);
}

Status PostgresConnection::prepare_migrations() {
    // Coordinators that start at the same time migrate one after the other; what this one reads
    // after the lock is what the others have done.
    TRY(const PgResult result,
        control(
            fmt::format(
                "SELECT pg_advisory_xact_lock({});"
                "SELECT to_regprocedure('nexa_now()') IS NULL",
                kMigrationLock
            ),
            "wait for the right to migrate"
        ));
    if (std::string_view(PQgetvalue(result.get(), 0, 0)) == "t") {
        TRY_STATUS(control(kMakeNow, "make nexa_now()"));
    }
    TRY_STATUS(control(kMakeCommits, "make nexa_commit"));
    session_.marks_commits = true;
    return {};
}

const Script& PostgresConnection::script_of(const Migration& migration) const {
    return migration.postgres;
}

Status PostgresConnection::run_script(std::string_view text) {
    if (parse_postgres_text(text).controls_transactions) {
        return Error::internal("the script may not end the transaction that it runs in");
    }
    TRY_STATUS(control(std::string(text), "run the script"));
    return {};
}

}  // namespace nexa::db
