// SPDX-License-Identifier: Apache-2.0
#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include <fmt/format.h>

#include "core/os_error.h"

namespace nexa {

Result<UniqueFd> lock_file(const std::filesystem::path& path) {
    constexpr mode_t kOwnerOnly = 0600;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
    if (!file) {
        return os_error(errno, fmt::format("open {}", path.native()));
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
        return file;
    }
    if (errno == EWOULDBLOCK) {
        return Error::conflict("{} is locked by another process", path.native());
    }
    return os_error(errno, fmt::format("lock {}", path.native()));
}

}  // namespace nexa
