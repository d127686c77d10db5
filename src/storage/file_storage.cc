// SPDX-License-Identifier: Apache-2.0
#include "storage/file_storage_internal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/os_error.h"
#include "storage/temp_file_internal.h"

namespace nexa::storage {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTemp = ".nexa-tmp";
constexpr const char* kUploads = ".nexa-uploads";
constexpr std::size_t kPieceSize = std::size_t{1} << 20U;
constexpr unsigned kFileMode = 0640;
constexpr mode_t kFolderMode = 0750;

struct SplitKey {
    std::vector<std::string> folders;
    std::string name;
};

SplitKey split(std::string_view key) {
    SplitKey parts;
    for (std::size_t slash = key.find('/'); slash != std::string_view::npos;
         slash = key.find('/')) {
        parts.folders.emplace_back(key.substr(0, slash));
        key.remove_prefix(slash + 1);
    }
    parts.name = key;
    return parts;
}

Result<SplitKey> checked(std::string_view key) {
    TRY_STATUS(check_key(key));
    SplitKey parts = split(key);
    const std::string& first = parts.folders.empty() ? parts.name : parts.folders.front();
    if (first == kTemp || first == kUploads) {
        return Error::invalid_argument("keys that start with '{}' are reserved", first);
    }
    return parts;
}

Error failed(int error_number, const char* action, std::string_view key) {
    // A file where a folder should be, or the other way round.
    if (error_number == ENOTDIR || error_number == EISDIR || error_number == ELOOP) {
        return Error::conflict("cannot {} '{}': part of its path is in the way", action, key);
    }
    return os_error(error_number, fmt::format("{} '{}'", action, key));
}

Error no_object(std::string_view key) {
    return Error::not_found("no object '{}'", key);
}

UniqueFd open_folder(int parent, const char* name) {
    return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

/// The folder of a key; empty, with errno set, if a part of the way is missing or no folder.
UniqueFd walk(int root, const std::vector<std::string>& folders) {
    UniqueFd folder = open_folder(root, ".");
    for (const std::string& name : folders) {
        if (!folder) {
            break;
        }
        folder = open_folder(folder.get(), name.c_str());
    }
    return folder;
}

/// The same, making what is missing.
UniqueFd make_way(int root, const std::vector<std::string>& folders) {
    UniqueFd folder = open_folder(root, ".");
    for (const std::string& name : folders) {
        if (!folder) {
            break;
        }
        if (::mkdirat(folder.get(), name.c_str(), kFolderMode) == 0) {
            ::fsync(folder.get());
        } else if (errno != EEXIST) {
            return UniqueFd();
        }
        folder = open_folder(folder.get(), name.c_str());
    }
    return folder;
}

/// False with errno set if it could not. A link, unlike a rename, replaces nothing.
bool give_name(TempFile& file, int folder, const std::string& name, const PutOptions& options) {
    if (options.only_if_absent) {
        return ::linkat(AT_FDCWD, file.path().c_str(), folder, name.c_str(), 0) == 0;
    }
    if (::renameat(AT_FDCWD, file.path().c_str(), folder, name.c_str()) != 0) {
        return false;
    }
    file.given_away();
    return true;
}

ObjectInfo info_of(std::string key, const struct stat& status) {
    const auto modified = std::chrono::seconds(status.st_mtim.tv_sec) +
                          std::chrono::microseconds(status.st_mtim.tv_nsec / 1000);
    return {std::move(key), Bytes(status.st_size), Timestamp(modified)};
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

struct Entry {
    std::string order;  // a folder's name ends in a slash, so that this is the order of whole keys
    struct stat status;
};

/// Files and folders of one folder in the order of their keys; nothing else is ever listed.
Result<std::vector<Entry>> entries_of(UniqueFd folder_fd, const std::string& path) {
    const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(folder_fd.get()));
    if (folder == nullptr) {
        return os_error(errno, fmt::format("list '{}'", path));
    }
    const int fd = folder_fd.release();  // the stream's now
    std::vector<Entry> entries;
    errno = 0;
    while (const dirent* const found =
               ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
        const std::string_view name = found->d_name;
        Entry entry{std::string(name), {}};
        const bool is_there = ::fstatat(fd, found->d_name, &entry.status, AT_SYMLINK_NOFOLLOW) == 0;
        if (name != "." && name != ".." && is_there) {
            if (S_ISDIR(entry.status.st_mode)) {
                entry.order += '/';
                entries.push_back(std::move(entry));
            } else if (S_ISREG(entry.status.st_mode)) {
                entries.push_back(std::move(entry));
            }
        }
        errno = 0;
    }
    if (errno != 0) {
        return os_error(errno, fmt::format("list '{}'", path));
    }
    std::ranges::sort(entries, {}, &Entry::order);
    return entries;
}

/// One list() going on. Depth is bounded: below kKeyBytesMax no key goes on.
class Lister {
public:
    Lister(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit)
        : prefix_(prefix), visit_(visit) {}

    /// `path` is empty or ends in a slash.
    Status folder(UniqueFd fd, const std::string& path) {
        const int parent = fd.get();
        const UniqueFd kept(::dup(parent));
        if (!kept) {
            return os_error(errno, fmt::format("list '{}'", path));
        }
        TRY(const auto entries, entries_of(std::move(fd), path));
        for (const Entry& entry : entries) {
            TRY_STATUS(this->entry(kept.get(), path + entry.order, entry));
            if (is_done_) {
                break;
            }
        }
        return {};
    }

private:
    Status entry(int parent, std::string key, const Entry& entry) {
        const bool is_folder = key.ends_with('/');
        // A folder may still hold the prefix, or lie below it.
        const std::string_view common = std::string_view(key).substr(0, prefix_.size());
        if (!prefix_.starts_with(common) || (!is_folder && key.size() < prefix_.size())) {
            return {};
        }
        if (!is_folder) {
            if (check_key(key)) {
                is_done_ = !visit_(info_of(std::move(key), entry.status));
            }
            return {};
        }
        if (key.size() > kKeyBytesMax || key == std::string(kTemp) + "/" ||
            key == std::string(kUploads) + "/") {
            return {};
        }
        UniqueFd fd = open_folder(parent, entry.order.substr(0, entry.order.size() - 1).c_str());
        if (!fd) {
            // Gone meanwhile, or replaced by something else.
            const bool has_gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
            return has_gone ? Status() : os_error(errno, fmt::format("list '{}'", key));
        }
        return folder(std::move(fd), key);
    }

    std::string_view prefix_;
    const std::function<bool(const ObjectInfo&)>& visit_;
    bool is_done_ = false;
};

}  // namespace

Result<std::unique_ptr<Storage>> FileStorage::open(
    const fs::path& root, const StorageOptions& options
) {
    TRY_STATUS(make_folders(root / kTemp));
    std::error_code error;
    const fs::path whole = fs::canonical(root, error);
    UniqueFd fd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (error || !fd) {
        return os_error(error ? error.value() : errno, fmt::format("open '{}'", root.native()));
    }
    TRY_STATUS(remove_abandoned(whole / kTemp));
    return std::make_unique<FileStorage>(std::move(fd), whole, options);
}

FileStorage::FileStorage(UniqueFd root_fd, const fs::path& root, const StorageOptions& options)
    : root_fd_(std::move(root_fd)), root_(root), space_(root, std::nullopt, options.reserve) {}

Status FileStorage::check(std::string_view key) {
    TRY_STATUS(checked(key));
    return {};
}

Status FileStorage::put(std::string_view key, ByteSource& source, const PutOptions& options) {
    TRY(const SplitKey parts, checked(key));
    TRY(TempFile file, TempFile::create(root_ / kTemp));
    Taken taken(space_);
    std::vector<char> room(kPieceSize);
    while (true) {
        TRY(const std::size_t got, source.read(room));
        if (got == 0) {
            break;
        }
        TRY_STATUS(taken.more(Bytes(static_cast<std::int64_t>(got))));
        TRY_STATUS(file.write({room.data(), got}));
    }
    TRY_STATUS(file.finish(kFileMode));
    // A remove() beside us may take the folder away as empty before our file is in it.
    constexpr int kTriesMax = 16;
    for (int i = 0; i < kTriesMax; ++i) {
        const UniqueFd folder = make_way(root_fd_.get(), parts.folders);
        if (folder && give_name(file, folder.get(), parts.name, options)) {
            return ::fsync(folder.get()) == 0 ? Status() : failed(errno, "flush", key);
        }
        if (errno == EEXIST && options.only_if_absent) {
            return Error::conflict("there is an object '{}' already", key);
        }
        if (errno != ENOENT) {
            return failed(errno, "store", key);
        }
    }
    return Error::unavailable("cannot store '{}': its folder is removed again and again", key);
}

Status FileStorage::stream(std::string_view key, const ByteRange& range, const ByteSink& sink) {
    TRY(const SplitKey parts, checked(key));
    const UniqueFd folder = walk(root_fd_.get(), parts.folders);
    if (!folder) {
        return no_object(key);
    }
    UniqueFd fd(::openat(
        folder.get(), parts.name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    ));
    struct stat status{};
    if (!fd && errno != ENOENT && errno != ELOOP && errno != ENXIO) {
        return failed(errno, "read", key);
    }
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return no_object(key);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::uint64_t start = std::min(range.offset, size);
    std::uint64_t rest = std::min(range.length.value_or(size), size - start);
    if (::lseek(fd.get(), static_cast<off_t>(start), SEEK_SET) < 0) {
        return failed(errno, "read", key);
    }
    FileSource source(std::move(fd), root_ / key);
    std::vector<char> room(std::clamp<std::size_t>(rest, 1, kPieceSize));
    while (rest > 0) {
        const std::size_t wanted = std::min<std::uint64_t>(room.size(), rest);
        TRY(const std::size_t got, source.read(std::span(room).first(wanted)));
        if (got == 0) {
            return Error::data_loss("object '{}' has become shorter", key);
        }
        TRY_STATUS(sink({room.data(), got}));
        rest -= got;
    }
    return {};
}

Result<ObjectInfo> FileStorage::stat(std::string_view key) {
    TRY(const SplitKey parts, checked(key));
    const UniqueFd folder = walk(root_fd_.get(), parts.folders);
    struct stat status{};
    if (!folder || ::fstatat(folder.get(), parts.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
        return no_object(key);
    }
    return info_of(std::string(key), status);
}

Status FileStorage::list(
    std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit
) {
    Lister lister(prefix, visit);
    return lister.folder(open_folder(root_fd_.get(), "."), "");
}

Status FileStorage::remove(std::string_view key) {
    TRY(SplitKey parts, checked(key));
    UniqueFd folder = walk(root_fd_.get(), parts.folders);
    struct stat status{};
    if (!folder || ::fstatat(folder.get(), parts.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
        return {};
    }
    if (::unlinkat(folder.get(), parts.name.c_str(), 0) != 0 && errno != ENOENT) {
        return failed(errno, "remove", key);
    }
    ::fsync(folder.get());
    // Empty folders are no objects and would be in the way of a key of their name.
    while (!parts.folders.empty()) {
        const std::string name = parts.folders.back();
        parts.folders.pop_back();
        folder = walk(root_fd_.get(), parts.folders);
        if (!folder || ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) != 0) {
            break;
        }
    }
    return {};
}

std::string FileStorage::uri() const {
    constexpr std::string_view kPlain =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~/";
    std::string uri = "file://";
    for (const char c : root_.native()) {
        if (kPlain.find(c) != std::string_view::npos) {
            uri += c;
        } else {
            uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return uri;
}

}  // namespace nexa::storage
