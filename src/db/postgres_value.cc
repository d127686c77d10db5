// SPDX-License-Identifier: Apache-2.0
#include "db/postgres_value_internal.h"

#include <bit>
#include <cstring>
#include <type_traits>
#include <variant>

#include "core/check.h"

namespace nexa::db {

namespace {

// What PostgreSQL calls its types on the wire; they never change.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kName = 19;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kJson = 114;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;
constexpr Oid kUnknown = 705;
constexpr Oid kBpchar = 1042;
constexpr Oid kVarchar = 1043;
constexpr Oid kVoid = 2278;
constexpr Oid kJsonb = 3802;
constexpr char kJsonbVersion = '\1';

constexpr int kBinary = 1;

bool is_text(Oid type) {
    return type == kText || type == kVarchar || type == kBpchar || type == kName || type == kJson ||
           type == kUnknown;
}

/// The bytes of a number, most significant first.
std::uint64_t read_number(const char* bytes, int size) {
    std::uint64_t number = 0;
    for (int i = 0; i < size; ++i) {
        number = number << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return number;
}

Error wrong_type(std::string_view kind, Oid type) {
    return Error::internal("is {}, which PostgreSQL's type {} does not take", kind, type);
}

}  // namespace

PostgresParameters::PostgresParameters(std::size_t count) {
    values_.reserve(count);
    lengths_.reserve(count);
    formats_.reserve(count);
    // Their elements are pointed to: they may not move.
    numbers_.reserve(count);
    texts_.reserve(count);
}

void PostgresParameters::add_bytes(const void* bytes, std::size_t size) {
    // A null pointer would make NULL of an empty value.
    values_.push_back(size == 0 ? "" : static_cast<const char*>(bytes));
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(kBinary);
}

void PostgresParameters::add_number(std::uint64_t bits, std::size_t size) {
    NEXA_CHECK(numbers_.size() < numbers_.capacity());
    auto& bytes = numbers_.emplace_back();
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>(bits >> (8 * (size - 1 - i)) & 0xFFU);
    }
    add_bytes(bytes.data(), size);
}

Status PostgresParameters::add_integer(std::int64_t number, Oid type) {
    if (type == kInt8) {
        add_number(static_cast<std::uint64_t>(number), 8);
    } else if (type == kInt4 && std::in_range<std::int32_t>(number)) {
        add_number(static_cast<std::uint32_t>(number), 4);
    } else if (type == kInt2 && std::in_range<std::int16_t>(number)) {
        add_number(static_cast<std::uint16_t>(number), 2);
    } else if (type == kBool && (number == 0 || number == 1)) {
        add_number(static_cast<std::uint64_t>(number), 1);
    } else if (type == kFloat8 || type == kFloat4) {
        return add_real(static_cast<double>(number), type);
    } else {
        return wrong_type("an integer", type);
    }
    return {};
}

Status PostgresParameters::add_real(double number, Oid type) {
    if (type == kFloat8) {
        add_number(std::bit_cast<std::uint64_t>(number), 8);
    } else if (type == kFloat4) {
        add_number(std::bit_cast<std::uint32_t>(static_cast<float>(number)), 4);
    } else {
        return wrong_type("a real", type);
    }
    return {};
}

Status PostgresParameters::add_text(const std::string& text, Oid type) {
    if (is_text(type)) {
        add_bytes(text.data(), text.size());
    } else if (type == kJsonb) {
        NEXA_CHECK(texts_.size() < texts_.capacity());
        const std::string& marked = texts_.emplace_back(kJsonbVersion + text);
        add_bytes(marked.data(), marked.size());
    } else {
        return wrong_type("a text", type);
    }
    return {};
}

Status PostgresParameters::add(const Value& value, Oid type) {
    return std::visit(
        [&](const auto& held) -> Status {
            using Held = std::remove_cvref_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                values_.push_back(nullptr);
                lengths_.push_back(0);
                formats_.push_back(kBinary);
                return {};
            } else if constexpr (std::is_same_v<Held, std::int64_t>) {
                return add_integer(held, type);
            } else if constexpr (std::is_same_v<Held, double>) {
                return add_real(held, type);
            } else if constexpr (std::is_same_v<Held, std::string>) {
                return add_text(held, type);
            } else {
                if (type != kBytea) {
                    return wrong_type("a blob", type);
                }
                add_bytes(held.data(), held.size());
                return {};
            }
        },
        value.variant()
    );
}

Result<Value> read_postgres_value(const PGresult* row, int column) {
    if (PQgetisnull(row, 0, column) != 0) {
        return Value();
    }
    const char* bytes = PQgetvalue(row, 0, column);
    const int size = PQgetlength(row, 0, column);
    const auto text = [&](int from) {
        return Value(std::string(bytes + from, static_cast<std::size_t>(size - from)));
    };
    const Oid type = PQftype(row, column);
    if (is_text(type)) {
        return text(0);
    }
    switch (type) {
        case kInt8:
            return Value(static_cast<std::int64_t>(read_number(bytes, size)));
        case kInt4:
            return Value(static_cast<std::int32_t>(read_number(bytes, size)));
        case kInt2:
            return Value(static_cast<std::int16_t>(read_number(bytes, size)));
        case kBool:
            return Value(std::int64_t{bytes[0] != 0});
        case kFloat8:
            return Value(std::bit_cast<double>(read_number(bytes, size)));
        case kFloat4:
            return Value(std::bit_cast<float>(static_cast<std::uint32_t>(read_number(bytes, size)))
            );
        case kBytea: {
            Blob blob(static_cast<std::size_t>(size));
            if (size > 0) {
                std::memcpy(blob.data(), bytes, blob.size());
            }
            return Value(std::move(blob));
        }
        case kJsonb:
            return text(1);
        case kVoid:
            return Value();
        default:
            return Error::internal(
                "column {} has PostgreSQL's type {}: cast it to one that the interface has",
                PQfname(row, column),
                type
            );
    }
}

}  // namespace nexa::db
