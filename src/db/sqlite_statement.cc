// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_statement_internal.h"

#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/check.h"
#include "db/sqlite_error_internal.h"

namespace nexa::db {

namespace {

/// Binds without a copy: the value lives until the run is over.
int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
    return std::visit(
        [&](const auto& held) {
            using Held = std::remove_cvref_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                return sqlite3_bind_null(statement, index);
            } else if constexpr (std::is_same_v<Held, std::int64_t>) {
                return sqlite3_bind_int64(statement, index, held);
            } else if constexpr (std::is_same_v<Held, double>) {
                return sqlite3_bind_double(statement, index, held);
            } else if constexpr (std::is_same_v<Held, std::string>) {
                return sqlite3_bind_text64(
                    statement, index, held.data(), held.size(), nullptr, SQLITE_UTF8
                );
            } else {
                // A null pointer would make NULL of an empty blob.
                return held.empty() ? sqlite3_bind_zeroblob(statement, index, 0)
                                    : sqlite3_bind_blob64(
                                          statement, index, held.data(), held.size(), nullptr
                                      );
            }
        },
        value.variant()
    );
}

Value read_value(sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER:
            return Value(std::int64_t{sqlite3_column_int64(statement, column)});
        case SQLITE_FLOAT:
            return Value(sqlite3_column_double(statement, column));
        case SQLITE_TEXT: {
            const void* bytes = sqlite3_column_text(statement, column);
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            // Null only if SQLite ran out of memory; its next step says so.
            return bytes == nullptr ? Value(std::string())
                                    : Value(std::string(static_cast<const char*>(bytes), size));
        }
        case SQLITE_BLOB: {
            const auto* bytes =
                static_cast<const std::byte*>(sqlite3_column_blob(statement, column));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
            return bytes == nullptr ? Value(Blob()) : Value(Blob(bytes, bytes + size));
        }
        default:
            return Value();
    }
}

/// Whatever way a run ends, the statement is ready for the next and holds no value of the caller.
class ResetAfterwards {
public:
    explicit ResetAfterwards(sqlite3_stmt* statement) : statement_(statement) {}
    ~ResetAfterwards() {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
    ResetAfterwards(const ResetAfterwards&) = delete;
    ResetAfterwards& operator=(const ResetAfterwards&) = delete;

private:
    sqlite3_stmt* statement_;
};

}  // namespace

Result<std::unique_ptr<SqliteStatement>> SqliteStatement::prepare(
    sqlite3* connection, std::string_view name, std::string_view text
) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(
        connection,
        text.data(),
        static_cast<int>(text.size()),
        SQLITE_PREPARE_PERSISTENT,
        &statement,
        &tail
    );
    if (code != SQLITE_OK) {
        return sqlite_error(connection, code, fmt::format("statement {}", name));
    }
    Handle handle(statement);
    auto prepared = std::unique_ptr<SqliteStatement>(new SqliteStatement(std::move(handle), name));
    if (statement == nullptr) {
        prepared->refuse("is empty", "");
    }
    const std::string_view rest = text.substr(static_cast<std::size_t>(tail - text.data()));
    sqlite3_stmt* second = nullptr;
    const int rest_code = sqlite3_prepare_v2(
        connection, rest.data(), static_cast<int>(rest.size()), &second, nullptr
    );
    if (rest_code != SQLITE_OK || second != nullptr) {
        sqlite3_finalize(second);
        prepared->refuse("holds more than one statement", "");
    }
    return prepared;
}

SqliteStatement::SqliteStatement(Handle statement, std::string_view name)
    : statement_(std::move(statement)), name_(name) {
    const int count = sqlite3_bind_parameter_count(statement_.get());
    for (int index = 1; index <= count; ++index) {
        const char* parameter = sqlite3_bind_parameter_name(statement_.get(), index);
        if (parameter == nullptr || parameter[0] != ':') {
            refuse("has a parameter that is not written :name", parameter ? parameter : "?");
        }
        parameters_.emplace_back(parameter + 1);
    }
}

void SqliteStatement::refuse(std::string_view what, std::string_view parameter) const {
    const std::string text = fmt::format("statement {} {} {}", name_, what, parameter);
    check_failed(text.c_str(), __FILE__, __LINE__);
}

int SqliteStatement::bind(const Params& params) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const Value* value = params.find(parameters_[i]);
        if (value == nullptr) {
            refuse("lacks its parameter", parameters_[i]);
        }
        const int code = bind_value(statement_.get(), static_cast<int>(i) + 1, *value);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    // All it wants were found under different names, so a surplus is one it does not want.
    if (params.size() != parameters_.size()) {
        refuse("was given a parameter too many, it takes", fmt::format("{}", parameters_.size()));
    }
    return SQLITE_OK;
}

void SqliteStatement::read_columns() {
    const int compilations = sqlite3_stmt_status(statement_.get(), SQLITE_STMTSTATUS_REPREPARE, 0);
    if (compilations == compilations_) {
        return;
    }
    compilations_ = compilations;
    Columns columns{.statement = name_, .names = {}};
    for (int i = 0; i < sqlite3_column_count(statement_.get()); ++i) {
        columns.names.emplace_back(sqlite3_column_name(statement_.get(), i));
    }
    columns_ = std::make_shared<const Columns>(std::move(columns));
}

SqliteStatement::Outcome SqliteStatement::run(
    const Params& params, std::size_t rows_max, std::vector<Row>& rows
) {
    const ResetAfterwards reset(statement_.get());
    if (const int code = bind(params); code != SQLITE_OK) {
        return {.code = code};
    }
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement_.get())) == SQLITE_ROW) {
        if (rows.size() == rows_max) {
            return {.code = SQLITE_DONE, .too_many_rows = true};
        }
        read_columns();
        std::vector<Value> values;
        const int count = sqlite3_column_count(statement_.get());
        values.reserve(static_cast<std::size_t>(count));
        for (int column = 0; column < count; ++column) {
            values.push_back(read_value(statement_.get(), column));
        }
        rows.emplace_back(columns_, std::move(values));
    }
    return {.code = code};
}

}  // namespace nexa::db
