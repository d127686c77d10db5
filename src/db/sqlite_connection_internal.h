// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/connection_internal.h"
#include "db/sqlite.h"
#include "db/sqlite_statement_internal.h"

namespace nexa::db {

class SqliteConnection final : public Connection {
public:
    enum class Role : std::uint8_t { kReader, kWriter };
    static Result<std::unique_ptr<Connection>> open(
        const SqliteOptions& options, const Clock& clock, Role role
    );

    Status begin(Access access) override;
    Status commit() override;
    void rollback() override;
    bool in_transaction() const override;
    Status begin_entry() override;
    Status keep_entry() override;
    Status undo_entry() override;
    Result<std::int64_t> execute(const Sql& sql, const Params& params) override;
    Result<std::vector<Row>> query(const Sql& sql, const Params& params) override;
    Timestamp now() const override { return now_; }
    const Script& script_of(const Migration& migration) const override;
    Status run_script(std::string_view text) override;
    Status check_foreign_keys() override;
    bool may_work_again() const override { return last_error_was_busy_; }

private:
    struct Close {
        void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
    };
    using Handle = std::unique_ptr<sqlite3, Close>;
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    /// By their text.
    using Statements = std::
        unordered_map<std::string, std::unique_ptr<SqliteStatement>, TextHash, std::equal_to<>>;

    SqliteConnection(Handle connection, const Clock& clock, std::size_t rows_max);
    Status configure(const SqliteOptions& options, Role role);
    Status use_write_ahead_log();
    Status register_now();
    Status check(int code, std::string_view doing);
    Status exec(const std::string& text, std::string_view doing);
    Status control(std::string_view text);
    Result<SqliteStatement*> prepared(std::string_view name, std::string_view text);
    Result<std::vector<Row>> run(SqliteStatement& statement, const Params& params);
    static int authorize(
        void* self,
        int action,
        const char* first,
        const char* second,
        const char* schema,
        const char* trigger
    );

    Handle connection_;
    const Clock& clock_;
    std::size_t rows_max_;
    Timestamp now_{};
    bool last_error_was_busy_ = false;
    /// Whether the statement in hand is one of our own, which may begin and end transactions.
    bool controlling_ = false;
    bool migrating_ = false;
    /// Compiled once for this connection. Our own lie apart, out of the modules' reach.
    Statements statements_;
    Statements control_statements_;
};

}  // namespace nexa::db
