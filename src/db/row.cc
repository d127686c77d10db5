// SPDX-License-Identifier: Apache-2.0
#include "db/row.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "core/check.h"

namespace nexa::db {

const Value& Row::value(Column column) const {
    const auto& names = columns_->names;
    const std::size_t index = column.index().value_or(
        static_cast<std::size_t>(std::ranges::find(names, column.name()) - names.begin())
    );
    if (index >= values_.size()) {
        refuse(column, "a column", "absent");
    }
    return values_[index];
}

void Row::refuse(Column column, const char* wanted, std::string_view found) const {
    const std::string name =
        column.index() ? fmt::format("{}", *column.index()) : std::string(column.name());
    const std::string text =
        fmt::format("column {} of {} is {}, is {}", name, columns_->statement, wanted, found);
    check_failed(text.c_str(), __FILE__, __LINE__);
}

template <class T>
const T& Row::get(Column column, const char* wanted) const {
    const Value& found = value(column);
    const T* held = std::get_if<T>(&found.variant());
    if (held == nullptr) {
        refuse(column, wanted, found.kind());
    }
    return *held;
}

std::int64_t Row::int64(Column column) const {
    return get<std::int64_t>(column, "an integer");
}

bool Row::boolean(Column column) const {
    const std::int64_t number = get<std::int64_t>(column, "an integer, 0 or 1");
    if (number != 0 && number != 1) {
        refuse(column, "an integer, 0 or 1", "another");
    }
    return number == 1;
}

double Row::real(Column column) const {
    if (const auto* integer = std::get_if<std::int64_t>(&value(column).variant())) {
        return static_cast<double>(*integer);
    }
    return get<double>(column, "a number");
}

const std::string& Row::text(Column column) const {
    return get<std::string>(column, "text");
}

const Blob& Row::blob(Column column) const {
    return get<Blob>(column, "a blob");
}

Timestamp Row::timestamp(Column column) const {
    return Timestamp{std::chrono::microseconds{get<std::int64_t>(column, "a time")}};
}

std::optional<std::int64_t> Row::optional_int64(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(int64(column));
}

std::optional<bool> Row::optional_boolean(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(boolean(column));
}

std::optional<double> Row::optional_real(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(real(column));
}

std::optional<std::string> Row::optional_text(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<Blob> Row::optional_blob(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(blob(column));
}

std::optional<Timestamp> Row::optional_timestamp(Column column) const {
    return is_null(column) ? std::nullopt : std::optional(timestamp(column));
}

}  // namespace nexa::db
