// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>

#include "core/result.h"
#include "db/database.h"
#include "db/sql.h"

namespace nexa::db {

/// Brings the tables of `sets` to this program's version, module after module in this order, and
/// returns how many migrations it applied: none if all were there. All in one transaction, so the
/// database is either as before or wholly up to date. What was applied stands in table
/// nexa_migration; modules that are not in `sets` are left alone.
///
/// Foreign keys are not enforced while scripts run (a table can be rebuilt) but must hold at the
/// end. Call it before the database gets its Writer. Blocks.
///
/// Errors: kConflict (an applied migration has another text now; the database was written by a
/// newer program; a script breaks a constraint), kDataLoss (an applied one is missing from the
/// table), kUnavailable (disk full, or another process writes), kInternal (bad SQL). A set whose
/// versions are not 1, 2, 3, … is our bug and aborts.
Result<std::size_t> migrate(Database& database, std::span<const MigrationSet> sets);

/// migrate(database, {accounts::sql::migrations(), orchestration::sql::migrations()})
inline Result<std::size_t> migrate(Database& database, std::initializer_list<MigrationSet> sets) {
    return migrate(database, std::span<const MigrationSet>(sets.begin(), sets.size()));
}

}  // namespace nexa::db
