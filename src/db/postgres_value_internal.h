// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "db/value.h"

namespace nexa::db {

/// Parameters in PostgreSQL's binary form. Refers to the values' bytes: they outlive it.
class PostgresParameters {
public:
    /// For `count` parameters.
    explicit PostgresParameters(std::size_t count);

    /// Adds the next one. Errors: kInternal if `type` takes no such value.
    Status add(const Value& value, Oid type);

    int count() const { return static_cast<int>(values_.size()); }
    const char* const* values() const { return values_.data(); }
    const int* lengths() const { return lengths_.data(); }
    const int* formats() const { return formats_.data(); }

private:
    Status add_integer(std::int64_t number, Oid type);
    Status add_real(double number, Oid type);
    Status add_text(const std::string& text, Oid type);
    void add_bytes(const void* bytes, std::size_t size);
    void add_number(std::uint64_t bits, std::size_t size);

    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::vector<std::array<char, sizeof(std::int64_t)>> numbers_;
    std::vector<std::string> texts_;
};

/// One field of a row in binary form. Errors: kInternal if the type is none that Value has.
Result<Value> read_postgres_value(const PGresult* row, int column);

}  // namespace nexa::db
