// SPDX-License-Identifier: Apache-2.0
#include "storage/temp_file_internal.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/os_error.h"

namespace nexa::storage {

namespace fs = std::filesystem;

Result<bool> lock_file(int fd) {
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return false;
        }
        if (errno != EINTR) {
            return os_error(errno, "lock a file");
        }
    }
    return true;
}

Status flush_folder(const fs::path& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some network file systems cannot flush a folder and say EINVAL.
    if (!fd || (::fsync(fd.get()) != 0 && errno != EINVAL)) {
        return os_error(errno, fmt::format("flush folder '{}'", folder.native()));
    }
    return {};
}

Result<TempFile> TempFile::create(const fs::path& folder) {
    // A cleaner may take the file in the moment before it is locked: then the next one is ours.
    constexpr int kTriesMax = 16;
    for (int i = 0; i < kTriesMax; ++i) {
        std::string name = (folder / "XXXXXX").native();
        UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
        if (!file) {
            return os_error(errno, fmt::format("create a file in '{}'", folder.native()));
        }
        TempFile temp(std::move(file), name);
        TRY(const bool is_locked, lock_file(temp.file_.get()));
        struct stat status{};
        if (is_locked && ::fstat(temp.file_.get(), &status) == 0 && status.st_nlink > 0) {
            return temp;
        }
    }
    return Error::unavailable("cannot keep a file in '{}': it is removed at once", folder.native());
}

TempFile::~TempFile() {
    // Moved from, it has no file any more.
    if (file_ && !path_.empty()) {
        ::unlink(path_.c_str());
    }
}

Status TempFile::write(std::string_view bytes) {
    return write_all(file_.get(), bytes, fmt::format("write '{}'", path_.native()));
}

Status TempFile::finish(unsigned mode) {
    if (::fchmod(file_.get(), mode) != 0 || ::fsync(file_.get()) != 0) {
        return os_error(errno, fmt::format("flush '{}'", path_.native()));
    }
    return {};
}

namespace {

Status remove_if_abandoned(const fs::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    if (!file) {
        // Its owner has finished it meanwhile.
        return errno == ENOENT ? Status()
                               : os_error(errno, fmt::format("open '{}'", path.native()));
    }
    TRY(const bool is_locked, lock_file(file.get()));
    if (is_locked && ::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return os_error(errno, fmt::format("remove '{}'", path.native()));
    }
    return {};
}

}  // namespace

Status remove_abandoned(const fs::path& folder) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        TRY_STATUS(remove_if_abandoned(entry->path()));
    }
    return error ? Status(os_error(error.value(), fmt::format("list '{}'", folder.native())))
                 : Status();
}

}  // namespace nexa::storage
