// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "db/tx.h"

namespace nexa::db {

struct CopiedTable {
    std::string name;
    std::int64_t rows = 0;
};

/// Copies all rows of all tables from one database into another, of whatever kind each is, and
/// returns the tables by name. Both have been brought to this program's version by migrate().
/// What `to` has beyond the rows that migrations made (tables of one row, key `only_row`) is
/// refused; those rows are replaced. Counters of generated keys go on where the copied ones end.
///
/// Holds a hundred rows at a time. `from` sees one committed state, so the program that writes it
/// may go on, and `to` is committed by the caller: all or nothing. Blocks.
///
/// Errors: kConflict (`to` is not empty; other tables or columns than `from`), those of statements,
/// with the table's name.
Result<std::vector<CopiedTable>> copy_tables(Tx& from, Tx& to);

/// Whether copy_tables() would take this database as its target. Errors: kConflict, naming a table.
Status check_empty(Tx& to);

}  // namespace nexa::db
