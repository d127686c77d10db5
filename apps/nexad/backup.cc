// SPDX-License-Identifier: Apache-2.0
#include "backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "build_info.h"
#include "core/file.h"
#include "core/json.h"
#include "core/os_error.h"
#include "core/storage_paths.h"
#include "database.h"
#include "db/copy.h"
#include "storage/blob_store.h"

namespace nexa::nexad {

namespace fs = std::filesystem;
using protocol::BackupInfo;

namespace {

constexpr std::uint64_t kInfoBytesMax = 1 << 20;
/// Of a server's folder: what is copied in a way of its own, and what a worker on the same machine
/// keeps for itself.
constexpr std::array<std::string_view, 4> kNotAsFiles{"db", "blobs", "tmp", "worker"};

fs::path info_file(const fs::path& folder) {
    return folder / "backup.json";
}

Error failed(std::string_view what, const fs::path& path, const std::error_code& code) {
    return os_error(code.value(), fmt::format("{} {}", what, path.native()));
}

/// There while the first backup into a folder is not finished.
fs::path mark_of(const fs::path& folder) {
    return folder / "backup.unfinished";
}

/// Keys, logs and whatever else lies beside the database and the blobs.
Status copy_files(const fs::path& from, const fs::path& to) {
    std::error_code code;
    for (const fs::directory_entry& entry : fs::directory_iterator(from, code)) {
        const std::string name = entry.path().filename();
        if (std::ranges::find(kNotAsFiles, name) != kNotAsFiles.end() ||
            entry.path() == info_file(from)) {
            continue;
        }
        std::error_code copying;
        fs::copy(
            entry.path(),
            to / name,
            fs::copy_options::recursive | fs::copy_options::overwrite_existing |
                fs::copy_options::copy_symlinks,
            copying
        );
        if (copying) {
            return failed("copy", entry.path(), copying);
        }
    }
    return code ? Status(failed("list", from, code)) : Status();
}

/// The bytes of an open blob, from its start.
class BlobSource final : public storage::ByteSource {
public:
    explicit BlobSource(storage::BlobReader reader) : reader_(std::move(reader)) {}

    Result<std::size_t> read(std::span<char> room) override {
        TRY(const std::size_t taken, reader_.read_at(offset_, room));
        offset_ += taken;
        return taken;
    }

private:
    storage::BlobReader reader_;
    std::uint64_t offset_ = 0;
};

/// Each blob is hashed on its way. Those that are there already stay.
Status copy_blobs(const fs::path& from, const fs::path& to, BackupInfo& info) {
    TRY(const auto source, storage::BlobStore::open(from));
    TRY(const auto target, storage::BlobStore::open(to));
    info.blobs = 0;
    info.blob_bytes = 0;
    Status copied;
    TRY_STATUS(source->list([&](const storage::BlobInfo& blob) {
        copied = [&]() -> Status {
            if (!target->exists(blob.digest)) {
                TRY(auto reader, source->open_blob(blob.digest));
                BlobSource bytes(std::move(reader));
                TRY_STATUS(target->put_expected(blob.digest, bytes));
            }
            ++info.blobs;
            info.blob_bytes += blob.size.value();
            return {};
        }();
        return copied.has_value();
    }));
    return copied;
}

/// All that was written into `folder` is on the disk.
Status flush(const fs::path& folder) {
    const UniqueFd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened || ::syncfs(opened.get()) != 0) {
        return failed("flush", folder, std::error_code(errno, std::generic_category()));
    }
    return {};
}

/// Errors: kNotFound, those of a damaged file.
Result<BackupInfo> read_info(const fs::path& folder) {
    auto text = read_file(info_file(folder), kInfoBytesMax);
    if (!text && text.error().code == ErrorCode::kNotFound) {
        return Error::not_found("{} holds no backup", folder.native())
            .hint("a backup that was cut off has no backup.json: take it again");
    }
    TRY(const std::string read, std::move(text));
    return from_json<BackupInfo>(read);
}

/// An empty folder, or one with an older backup.
Status prepare(const fs::path& folder) {
    TRY_STATUS(make_private_folder(folder));
    std::error_code code;
    const bool is_empty = fs::is_empty(folder, code);
    if (code) {
        return failed("read", folder, code);
    }
    const bool is_ours = fs::exists(info_file(folder), code) || fs::exists(mark_of(folder), code);
    if (!is_empty && !is_ours) {
        return Error::conflict("{} holds something that is no backup", folder.native())
            .hint("name a folder that is empty or not there");
    }
    return write_file_atomically(mark_of(folder), "a backup was cut off here\n");
}

/// A SQLite file that nobody has open, with all that belongs to it.
void remove_database(const fs::path& file) {
    for (const std::string_view suffix : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        fs::remove(fs::path(file) += suffix, ignored);
    }
}

/// The backup's database as this program has its tables: the backup may be of an older one.
Result<OpenedDatabase> open_copy(
    const fs::path& database, const fs::path& scratch, const Clock& clock
) {
    TRY_STATUS(make_folders(scratch));
    const fs::path copy = scratch / "restore.db";
    remove_database(copy);
    std::error_code code;
    if (!fs::copy_file(database, copy, code)) {
        return failed("copy", database, code);
    }
    return open_sqlite_file(copy, clock);
}

StoragePaths paths_of(const fs::path& folder) {
    std::error_code ignored;
    return StoragePaths(fs::absolute(folder, ignored));
}

}  // namespace

Result<BackupInfo> take_backup(
    const Settings& settings, const fs::path& folder, const Clock& clock
) {
    const StoragePaths from = paths_of(settings.dir);
    const StoragePaths to = paths_of(folder);
    BackupInfo info{
        .version = NEXA_VERSION,
        .taken_at = to_rfc3339(clock.now()),
        .storage_url = settings.storage.url,
    };
    TRY(const auto source, look_into_database(settings, from, clock));
    TRY_STATUS(prepare(to.root()));
    TRY_STATUS(make_folders(to.database().parent_path()));
    const fs::path fresh = fs::path(to.database()) += ".new";
    remove_database(fresh);
    {
        TRY(const auto target, open_sqlite_file(fresh, clock));
        TRY(info.tables, copy_database(*source.database, *target.database));
    }
    TRY_STATUS(copy_files(from.root(), to.root()));
    if (settings.storage.url.empty()) {
        TRY_STATUS(copy_blobs(from.root(), to.root(), info));
    }
    TRY_STATUS(flush(to.root()));
    std::error_code code;
    fs::rename(fresh, to.database(), code);
    if (code) {
        return failed("rename", fresh, code);
    }
    TRY_STATUS(write_file_atomically(info_file(to.root()), to_json(info), 0600));
    fs::remove(mark_of(to.root()), code);
    return info;
}

Result<BackupInfo> restore_backup(
    const Settings& settings, const fs::path& folder, const Clock& clock
) {
    const StoragePaths from = paths_of(folder);
    const StoragePaths to = paths_of(settings.dir);
    TRY(BackupInfo info, read_info(from.root()));
    if (info.storage_url != settings.storage.url) {
        return Error::conflict(
                   "the backup's files lie in '{}', this server's in '{}'",
                   info.storage_url,
                   settings.storage.url
        )
            .at("storage.url");
    }
    TRY_STATUS(make_folders(to.database().parent_path()));
    TRY(const auto target, open_database(settings, to, clock));
    TRY_STATUS(target.database->read([](db::Tx& tx) { return db::check_empty(tx); }));
    TRY_STATUS(copy_files(from.root(), to.root()));
    if (settings.storage.url.empty()) {
        TRY_STATUS(copy_blobs(from.root(), to.root(), info));
    }
    TRY_STATUS(flush(to.root()));
    TRY(const auto source, open_copy(from.database(), to.temporary(), clock));
    TRY(info.tables, copy_database(*source.database, *target.database));
    remove_database(to.temporary() / "restore.db");
    return info;
}

}  // namespace nexa::nexad
