// SPDX-License-Identifier: Apache-2.0
#include "db/copy.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/check.h"
#include "db/db_sql.h"

namespace nexa::db {

namespace {

constexpr std::int64_t kRowsAtOnce = 100;
/// The key of a table that has one row always, which a migration made.
constexpr std::string_view kOnlyRow = "only_row";

/// A table as its database describes it.
struct Table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::string> key;  ///< its columns, in order
    std::string identity;          ///< the column whose values are generated; empty: none
    std::set<std::string> refers_to;

    bool has_one_row() const { return key.size() == 1 && key.front() == kOnlyRow; }
};
using Tables = std::map<std::string, Table>;

/// A statement that is made here: both dialects take the same text.
class Statement {
public:
    Statement(const Table& table, std::string_view what, std::string text)
        : name_(fmt::format("copy/{} {}", what, table.name)), text_(std::move(text)) {}
    Sql sql() const { return {.name = name_, .sqlite = text_, .postgres = text_}; }

private:
    std::string name_;
    std::string text_;
};

std::string identifier(std::string_view name) {
    return fmt::format("\"{}\"", name);
}

std::string identifiers(const std::vector<std::string>& names) {
    std::vector<std::string> all(names.size());
    std::ranges::transform(names, all.begin(), [](const auto& name) { return identifier(name); });
    return fmt::format("{}", fmt::join(all, ", "));
}

Result<Tables> describe(Tx& tx) {
    Tables tables;
    TRY(const auto columns, tx.query(sql::kListColumns));
    for (const Row& row : columns) {
        Table& table = tables[row.text("table_name")];
        table.name = row.text("table_name");
        const std::string& column = row.text("column_name");
        table.columns.push_back(column);
        if (const auto position = static_cast<std::size_t>(row.int64("key_position"))) {
            table.key.resize(std::max(table.key.size(), position));
            table.key[position - 1] = column;
        }
        if (row.boolean("is_identity")) {
            table.identity = column;
        }
    }
    TRY(const auto references, tx.query(sql::kListReferences));
    for (const Row& row : references) {
        tables[row.text("table_name")].refers_to.insert(row.text("refers_to"));
    }
    return tables;
}

Status check_alike(const Tables& from, const Tables& to) {
    for (const auto& [name, table] : from) {
        const auto found = to.find(name);
        const bool is_alike =
            found != to.end() && std::ranges::is_permutation(table.columns, found->second.columns);
        if (!is_alike) {
            return Error::conflict("the two databases differ in table {}", name)
                .hint("let one program bring both to its version first");
        }
    }
    if (from.size() != to.size()) {
        return Error::conflict("one database has {} tables, the other {}", from.size(), to.size());
    }
    return {};
}

/// What is referred to comes before what refers to it.
std::vector<const Table*> in_order_of_references(const Tables& tables) {
    std::vector<const Table*> order;
    std::set<std::string_view> placed;
    while (order.size() < tables.size()) {
        const std::size_t before = order.size();
        for (const auto& [name, table] : tables) {
            const bool is_ready = std::ranges::all_of(table.refers_to, [&](const auto& other) {
                return placed.contains(other);
            });
            if (is_ready && placed.insert(name).second) {
                order.push_back(&table);
            }
        }
        NEXA_CHECK(order.size() > before);  // no two tables refer to each other
    }
    return order;
}

Result<std::int64_t> count_rows(Tx& tx, const Table& table) {
    const Statement count(table, "count", "SELECT count(*) AS n FROM " + identifier(table.name));
    TRY(const auto row, tx.query_one(count.sql()));
    return row->int64("n");
}

/// Errors: kConflict.
Status check_empty(Tx& to, const Table& table) {
    TRY(const std::int64_t rows, count_rows(to, table));
    if (rows != 0 && !table.has_one_row()) {
        return Error::conflict("table {} there has {} rows already", table.name, rows)
            .hint("give a database without any");
    }
    return {};
}

Status make_room(Tx& to, const Table& table) {
    if (table.has_one_row()) {
        const Statement empty(table, "empty", "DELETE FROM " + identifier(table.name));
        TRY_STATUS(to.execute(empty.sql()));
    }
    return check_empty(to, table);
}

/// Rows in the order of the key, from the first or from after :k0, :k1, …
Statement select_after(const Table& table, bool is_first) {
    std::string after;
    if (!is_first) {
        std::vector<std::string> places(table.key.size());
        for (std::size_t i = 0; i < places.size(); ++i) {
            places[i] = fmt::format(":k{}", i);
        }
        after = fmt::format("WHERE ({}) > ({}) ", identifiers(table.key), fmt::join(places, ", "));
    }
    return {
        table,
        is_first ? "first rows of" : "next rows of",
        fmt::format(
            "SELECT {} FROM {} {}ORDER BY {} LIMIT {}",
            identifiers(table.columns),
            identifier(table.name),
            after,
            identifiers(table.key),
            kRowsAtOnce
        ),
    };
}

std::string place(std::size_t row, std::size_t column) {
    return fmt::format("r{}c{}", row, column);
}

Statement insert(const Table& table, std::size_t rows) {
    std::vector<std::string> tuples(rows);
    for (std::size_t row = 0; row < rows; ++row) {
        std::vector<std::string> places(table.columns.size());
        for (std::size_t column = 0; column < places.size(); ++column) {
            places[column] = ":" + place(row, column);
        }
        tuples[row] = fmt::format("({})", fmt::join(places, ", "));
    }
    return {
        table,
        "insert into",
        fmt::format(
            "INSERT INTO {} ({}) VALUES {}",
            identifier(table.name),
            identifiers(table.columns),
            fmt::join(tuples, ", ")
        ),
    };
}

Status put(Tx& to, const Table& table, const std::vector<Row>& rows) {
    const std::size_t width = table.columns.size();
    std::vector<std::string> names(rows.size() * width);
    std::vector<Param> params;
    params.reserve(names.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < width; ++column) {
            std::string& name = names[(row * width) + column];
            name = place(row, column);
            params.push_back({name, rows[row].value(column)});
        }
    }
    TRY_STATUS(to.execute(insert(table, rows.size()).sql(), params));
    return {};
}

Result<std::vector<Row>> take_after(Tx& from, const Table& table, const Row* last) {
    std::vector<std::string> names(table.key.size());
    std::vector<Param> params;
    for (std::size_t i = 0; last != nullptr && i < names.size(); ++i) {
        names[i] = fmt::format("k{}", i);
        params.push_back({names[i], last->value(std::string_view(table.key[i]))});
    }
    return from.query(select_after(table, last == nullptr).sql(), params);
}

/// Generated values go on after the copied ones. SQLite does so by itself.
Status continue_identity(Tx& to, const Table& table) {
    if (table.identity.empty()) {
        return {};
    }
    const Statement set(
        table,
        "continue keys of",
        fmt::format(
            R"(SELECT setval(pg_get_serial_sequence('{0}', '{1}'), max("{1}")) FROM {0})",
            identifier(table.name),
            table.identity
        )
    );
    TRY_STATUS(to.query(set.sql()));
    return {};
}

Result<CopiedTable> copy(Tx& from, Tx& to, const Table& table, const Table& target) {
    TRY_STATUS(make_room(to, table));
    std::int64_t copied = 0;
    std::optional<Row> last;
    while (true) {
        TRY(auto rows, take_after(from, table, last ? &*last : nullptr));
        if (rows.empty()) {
            break;
        }
        TRY_STATUS(put(to, table, rows));
        copied += static_cast<std::int64_t>(rows.size());
        last = std::move(rows.back());
    }
    TRY_STATUS(continue_identity(to, target));
    TRY(const std::int64_t expected, count_rows(from, table));
    TRY(const std::int64_t there, count_rows(to, table));
    if (copied != expected || there != expected) {
        return Error::data_loss("{} of {} rows are there", there, expected);
    }
    return CopiedTable{.name = table.name, .rows = there};
}

}  // namespace

Result<std::vector<CopiedTable>> copy_tables(Tx& from, Tx& to) {
    TRY(const Tables tables, describe(from));
    TRY(const Tables targets, describe(to));
    TRY_STATUS(check_alike(tables, targets));
    std::vector<CopiedTable> copied;
    for (const Table* table : in_order_of_references(tables)) {
        NEXA_CHECK(!table->key.empty());
        auto done = copy(from, to, *table, targets.at(table->name));
        if (!done) {
            return std::move(done).error().while_doing("copy table " + table->name);
        }
        copied.push_back(*std::move(done));
    }
    std::ranges::sort(copied, {}, &CopiedTable::name);
    return copied;
}

Status check_empty(Tx& to) {
    TRY(const Tables tables, describe(to));
    for (const auto& [name, table] : tables) {
        TRY_STATUS(check_empty(to, table));
    }
    return {};
}

}  // namespace nexa::db
