// SPDX-License-Identifier: Apache-2.0
#include "db/fault_vfs_internal.h"

#include <new>

#include "core/check.h"

namespace nexa::db {
namespace {

/// What SQLite gives us room for: our face, and behind it the usual file.
struct File {
    sqlite3_file face;
    FaultVfs* vfs;
    bool is_log;
    sqlite3_file* usual() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& of(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}

/// Hands a call over to the usual file, whatever its arguments.
template <auto Method, class... Args>
auto forward(sqlite3_file* file, Args... args) {
    sqlite3_file* const usual = of(file).usual();
    return (usual->pMethods->*Method)(usual, args...);
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    if (of(file).is_log) {
        FaultVfs& vfs = *of(file).vfs;
        ++vfs.log_writes;
        if (vfs.write_answer != SQLITE_OK) {
            return vfs.write_answer;
        }
        vfs.log_is_dirty = true;
    }
    return forward<&sqlite3_io_methods::xWrite>(file, bytes, count, offset);
}

int sync(sqlite3_file* file, int flags) {
    if (of(file).is_log) {
        FaultVfs& vfs = *of(file).vfs;
        ++vfs.log_syncs;
        if (vfs.sync_answer != SQLITE_OK) {
            return vfs.sync_answer;
        }
        vfs.log_is_dirty = false;
    }
    return forward<&sqlite3_io_methods::xSync>(file, flags);
}

using Methods = sqlite3_io_methods;
constexpr Methods kMethods{
    .iVersion = 2,
    .xClose = [](sqlite3_file* f) { return forward<&Methods::xClose>(f); },
    .xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at
             ) { return forward<&Methods::xRead>(f, to, n, at); },
    .xWrite = &write,
    .xTruncate = [](sqlite3_file* f,
                    sqlite3_int64 n) { return forward<&Methods::xTruncate>(f, n); },
    .xSync = &sync,
    .xFileSize = [](sqlite3_file* f,
                    sqlite3_int64* n) { return forward<&Methods::xFileSize>(f, n); },
    .xLock = [](sqlite3_file* f, int how) { return forward<&Methods::xLock>(f, how); },
    .xUnlock = [](sqlite3_file* f, int how) { return forward<&Methods::xUnlock>(f, how); },
    .xCheckReservedLock = [](sqlite3_file* f,
                             int* held) { return forward<&Methods::xCheckReservedLock>(f, held); },
    .xFileControl = [](sqlite3_file* f, int what, void* with
                    ) { return forward<&Methods::xFileControl>(f, what, with); },
    .xSectorSize = [](sqlite3_file* f) { return forward<&Methods::xSectorSize>(f); },
    .xDeviceCharacteristics = [](sqlite3_file* f
                              ) { return forward<&Methods::xDeviceCharacteristics>(f); },
    .xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** to
               ) { return forward<&Methods::xShmMap>(f, page, size, extend, to); },
    .xShmLock = [](sqlite3_file* f, int at, int n, int how
                ) { return forward<&Methods::xShmLock>(f, at, n, how); },
    .xShmBarrier = [](sqlite3_file* f) { forward<&Methods::xShmBarrier>(f); },
    .xShmUnmap = [](sqlite3_file* f,
                    int remove) { return forward<&Methods::xShmUnmap>(f, remove); },
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

FaultVfs::FaultVfs() : usual_(sqlite3_vfs_find(nullptr)), vfs_(*usual_) {
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + usual_->szOsFile;
    vfs_.zName = kName;
    vfs_.pAppData = this;
    vfs_.xOpen = &open;
    NEXA_CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
}

FaultVfs::~FaultVfs() {
    sqlite3_vfs_unregister(&vfs_);
}

int FaultVfs::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* const self = static_cast<FaultVfs*>(vfs->pAppData);
    File* const ours = new (file) File{
        .face = {.pMethods = nullptr},
        .vfs = self,
        .is_log = (flags & SQLITE_OPEN_WAL) != 0,
    };
    const int code = self->usual_->xOpen(self->usual_, name, ours->usual(), flags, out);
    ours->face.pMethods = code == SQLITE_OK ? &kMethods : nullptr;
    return code;
}

}  // namespace nexa::db
