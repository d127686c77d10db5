// SPDX-License-Identifier: Apache-2.0
#include "db/tx.h"

#include <string>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/utf8.h"
#include "db/connection_internal.h"

namespace nexa::db {

Status Tx::admit(const Sql& sql, const Params& params) {
    if (failure_) {
        return *failure_;
    }
    for (const Param& param : params) {
        const auto* text = std::get_if<std::string>(&param.value.variant());
        if (text != nullptr && (!is_utf8(*text) || text->contains('\0'))) {
            failure_ = Error::invalid_argument(
                "cannot store parameter {} of {}: text must be UTF-8 without NUL bytes",
                param.name,
                sql.name
            );
            return *failure_;
        }
    }
    return {};
}

template <class T>
Result<T> Tx::note(Result<T> result) {
    if (!result) {
        failure_ = result.error();
    }
    return result;
}

Result<std::int64_t> Tx::execute(const Sql& sql, const Params& params) {
    TRY_STATUS(admit(sql, params));
    return note(connection_.execute(sql, params));
}

Result<std::vector<Row>> Tx::query(const Sql& sql, const Params& params) {
    TRY_STATUS(admit(sql, params));
    return note(connection_.query(sql, params));
}

Result<std::optional<Row>> Tx::query_one(const Sql& sql, const Params& params) {
    TRY(auto rows, query(sql, params));
    if (rows.empty()) {
        return std::optional<Row>();
    }
    if (rows.size() > 1) {
        const std::string text = "query_one of " + std::string(sql.name) + " gives at most one row";
        check_failed(text.c_str(), __FILE__, __LINE__);
    }
    return std::optional<Row>(std::move(rows.front()));
}

Timestamp Tx::now() const {
    return connection_.now();
}

}  // namespace nexa::db
