// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/connection_internal.h"
#include "db/postgres.h"
#include "db/postgres_error_internal.h"
#include "db/postgres_session_internal.h"

namespace nexa::db {

class PostgresConnection final : public Connection {
public:
    static Result<std::unique_ptr<Connection>> open(const PostgresOptions& options);

    Status begin(Access access) override;
    Status commit() override;
    bool commit_is_open() const override { return open_commit_.has_value(); }
    Outcome find_outcome() override;
    void rollback() override;
    bool in_transaction() const override;
    Status begin_entry() override;
    Status keep_entry() override;
    Status undo_entry() override;
    Result<std::int64_t> execute(const Sql& sql, const Params& params) override;
    Result<std::vector<Row>> query(const Sql& sql, const Params& params) override;
    Timestamp now() const override { return now_; }
    Status prepare_migrations() override;
    const Script& script_of(const Migration& migration) const override;
    Status run_script(std::string_view text) override;
    Status check_foreign_keys() override { return {}; }
    bool may_work_again() const override { return may_work_again_; }
    std::size_t entries_max() const override;

private:
    /// Prepared in the session in hand.
    struct Statement {
        std::string name;    ///< of ours, for messages
        std::string handle;  ///< of the server
        std::vector<std::string> parameters;
        std::vector<Oid> types;  ///< of the parameters
        std::shared_ptr<const Columns> columns;
        bool gives_rows() const { return !columns->names.empty(); }
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    /// By their text.
    using Statements =
        std::unordered_map<std::string, std::unique_ptr<Statement>, TextHash, std::equal_to<>>;
    /// What one run gives.
    struct Yield {
        std::vector<Row> rows;
        std::int64_t changed = 0;
        bool too_many = false;
    };

    PostgresConnection(PostgresOptions options, PostgresSession session);
    PGconn* pg() const { return session_.connection.get(); }
    bool is_lost() const { return pg() == nullptr || PQstatus(pg()) != CONNECTION_OK; }
    Status reconnect();
    Status forget_statements();
    std::string beginning(Access access) const;
    std::string ending();
    Outcome ask_outcome(const PostgresSessionId& asked);
    Status try_begin(Access access);
    Error fail(const PGresult* result, std::string_view doing);
    Result<PgResult> control(const std::string& text, std::string_view doing);
    Result<Statement*> prepared(std::string_view name, std::string_view text);
    Result<std::unique_ptr<Statement>> prepare(std::string_view name, std::string_view text);
    Status describe(Statement& statement);
    Status send(const Statement& statement, const Params& params);
    Result<Yield> run(const Statement& statement, const Params& params);
    Status take(PgResult result, const Statement& statement, Yield& yield);
    Status read_row(const PGresult* result, const Statement& statement, std::vector<Row>& rows);

    const PostgresOptions options_;
    PostgresSession session_;
    Access access_ = Access::kRead;
    Timestamp now_{};
    bool may_work_again_ = false;
    /// A prepared statement no longer fits its table.
    bool is_stale_ = false;
    /// The session whose COMMIT got no answer.
    std::optional<PostgresSessionId> open_commit_;
    bool has_written_ = false;       ///< an entry of the transaction in hand
    std::int64_t transactions_ = 0;  ///< marked ones, of all sessions of this object
    Statements statements_;
    std::uint64_t handles_ = 0;
};

}  // namespace nexa::db
