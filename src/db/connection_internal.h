// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "db/row.h"
#include "db/sql.h"
#include "db/value.h"

namespace nexa::db {

enum class Access : std::uint8_t {
    kRead,
    kWrite,    ///< takes the write lock at once
    kMigrate,  ///< the same, with foreign keys checked by check_foreign_keys() alone
};

/// What became of a transaction whose COMMIT got no answer.
enum class Outcome : std::uint8_t {
    kCommitted,
    kRolledBack,
    kNotYetKnown,  ///< ask again
    kUnknowable,
};

/// What a database driver is: one connection, used by one thread at a time. One that was lost makes
/// itself anew in begin().
class Connection {
public:
    virtual ~Connection() = default;
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Errors: kUnavailable; may_work_again() says if another process holds the lock.
    virtual Status begin(Access access) = 0;
    /// On an error the transaction may still be open: roll it back. After an error of the disk it
    /// is not known whether the transaction is in the file.
    virtual Status commit() = 0;
    /// Whether the last commit() got no answer, so that find_outcome() has to say how it ended.
    virtual bool commit_is_open() const { return false; }
    /// Asks how it ended; afterwards, unless kNotYetKnown, commit_is_open() is false. Blocks.
    virtual Outcome find_outcome() { return Outcome::kUnknowable; }
    /// Ends the transaction if there is one.
    virtual void rollback() = 0;
    /// False once the database has rolled the transaction back on its own (disk full).
    virtual bool in_transaction() const = 0;

    /// Starts what one entry of a batch does. One at a time.
    virtual Status begin_entry() = 0;
    /// Keeps it, if all constraints hold. On an error it is still there: undo it.
    virtual Status keep_entry() = 0;
    virtual Status undo_entry() = 0;

    virtual Result<std::int64_t> execute(const Sql& sql, const Params& params) = 0;
    virtual Result<std::vector<Row>> query(const Sql& sql, const Params& params) = 0;
    virtual Timestamp now() const = 0;

    /// Inside a transaction of kMigrate, before anything else: what every database of this kind
    /// has.
    virtual Status prepare_migrations() { return {}; }
    /// This dialect's text of a migration.
    virtual const Script& script_of(const Migration& migration) const = 0;
    /// Runs all statements of a script inside the open transaction.
    virtual Status run_script(std::string_view text) = 0;
    /// Errors: kConflict, naming the tables whose rows refer to nothing. A driver whose scripts
    /// never leave such rows has nothing to check.
    virtual Status check_foreign_keys() = 0;

    /// Whether the last error was the fault of others (a lock of another process, a deadlock, a
    /// server that went away) and left nothing behind, so that the same transaction, from its
    /// start, may work soon.
    virtual bool may_work_again() const = 0;

    /// How many entries the driver takes well in one transaction.
    virtual std::size_t entries_max() const { return SIZE_MAX; }
};

/// Makes connections to one database. Thread-safe.
class Connector {
public:
    virtual ~Connector() = default;
    Connector() = default;
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    virtual Result<std::unique_ptr<Connection>> connect_reader() = 0;
};

}  // namespace nexa::db
