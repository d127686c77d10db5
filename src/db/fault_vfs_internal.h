// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace nexa::db {

/// For the tests of this module: the usual file system under another name, that counts the writes
/// and syncs of the write-ahead log and fails them on demand. Register one at a time. Thread-safe.
class FaultVfs {
public:
    FaultVfs();
    ~FaultVfs();
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    static constexpr const char* kName = "nexa_fault";

    std::atomic<std::int64_t> log_writes = 0;
    std::atomic<std::int64_t> log_syncs = 0;
    /// True while the log holds something that was written after its last sync.
    std::atomic<bool> log_is_dirty = false;
    /// What writes and syncs of the log answer from now on: SQLITE_OK or an error.
    std::atomic<int> write_answer = SQLITE_OK;
    std::atomic<int> sync_answer = SQLITE_OK;

private:
    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out);

    sqlite3_vfs* usual_;
    sqlite3_vfs vfs_;
};

}  // namespace nexa::db
