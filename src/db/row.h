// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "db/value.h"

namespace nexa::db {

/// Which column of a row: its name, or its place from 0.
class Column {
public:
    // NOLINTBEGIN(google-explicit-constructor): row.int64("fence"), row.int64(0)
    Column(const char* name) : name_(name) {}
    Column(std::string_view name) : name_(name) {}
    template <std::integral T>
    Column(T index) : index_(static_cast<std::size_t>(index)) {
        NEXA_CHECK(std::in_range<std::size_t>(index));
    }
    // NOLINTEND(google-explicit-constructor)

    std::string_view name() const { return name_; }
    std::optional<std::size_t> index() const { return index_; }

private:
    std::string_view name_;
    std::optional<std::size_t> index_;
};

/// What the rows of one result have in common.
struct Columns {
    std::string statement;
    std::vector<std::string> names;
};

/// One row of a result, with its own copy of the values.
///
/// The typed getters take what the statement must give: a column that is not there, a NULL or
/// another type is our bug and aborts, naming statement and column. real() also takes an integer
/// (sum of an empty set, avg with a default). A name that stands twice means its first column.
/// References live as long as the row.
class Row {
public:
    Row(std::shared_ptr<const Columns> columns, std::vector<Value> values)
        : columns_(std::move(columns)), values_(std::move(values)) {}

    std::size_t size() const { return values_.size(); }
    const Value& value(Column column) const;
    bool is_null(Column column) const { return value(column).is_null(); }

    std::int64_t int64(Column column) const;
    bool boolean(Column column) const;  ///< an integer, 0 or 1
    double real(Column column) const;
    const std::string& text(Column column) const;
    const Blob& blob(Column column) const;
    Timestamp timestamp(Column column) const;

    std::optional<std::int64_t> optional_int64(Column column) const;
    std::optional<bool> optional_boolean(Column column) const;
    std::optional<double> optional_real(Column column) const;
    std::optional<std::string> optional_text(Column column) const;
    std::optional<Blob> optional_blob(Column column) const;
    std::optional<Timestamp> optional_timestamp(Column column) const;

private:
    template <class T>
    const T& get(Column column, const char* wanted) const;
    [[noreturn]] void refuse(Column column, const char* wanted, std::string_view found) const;

    std::shared_ptr<const Columns> columns_;
    std::vector<Value> values_;
};

}  // namespace nexa::db
