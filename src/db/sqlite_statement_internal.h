// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "db/row.h"
#include "db/value.h"

namespace nexa::db {

/// A statement prepared on one connection, to be run many times.
class SqliteStatement {
public:
    /// Errors: kInternal if `text` is no SQL. Text behind the first statement is our bug and
    /// aborts.
    static Result<std::unique_ptr<SqliteStatement>> prepare(
        sqlite3* connection, std::string_view name, std::string_view text
    );

    /// How a run went: SQLITE_DONE, or the error's code.
    struct Outcome {
        int code = SQLITE_DONE;
        bool too_many_rows = false;
        bool is_done() const { return code == SQLITE_DONE && !too_many_rows; }
    };

    /// Runs it to its end. Its rows go to `rows`, up to `rows_max`. A missing, additional or
    /// doubled parameter is our bug and aborts.
    Outcome run(const Params& params, std::size_t rows_max, std::vector<Row>& rows);

    bool gives_rows() const { return sqlite3_column_count(statement_.get()) > 0; }
    const std::string& name() const { return name_; }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    using Handle = std::unique_ptr<sqlite3_stmt, Finalize>;

    SqliteStatement(Handle statement, std::string_view name);
    int bind(const Params& params);
    void read_columns();
    [[noreturn]] void refuse(std::string_view what, std::string_view parameter) const;

    Handle statement_;
    std::string name_;
    std::vector<std::string> parameters_;  ///< without the colon, in SQLite's order
    std::shared_ptr<const Columns> columns_;
    int compilations_ = -1;  ///< SQLite compiles again when the schema changes
};

}  // namespace nexa::db
