// SPDX-License-Identifier: Apache-2.0
#include "storage/byte_source.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/os_error.h"

namespace nexa::storage {

Result<std::unique_ptr<FileSource>> FileSource::open(const std::filesystem::path& path) {
    // Not to hang on a named pipe before it is refused.
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return os_error(errno, fmt::format("open '{}'", path.native()));
    }
    if (!S_ISREG(status.st_mode)) {
        return Error::invalid_argument("cannot read '{}': it is no regular file", path.native());
    }
    return std::make_unique<FileSource>(std::move(file), path);
}

Result<std::size_t> FileSource::read(std::span<char> room) {
    while (true) {
        const ssize_t got = ::read(file_.get(), room.data(), room.size());
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR) {
            return os_error(errno, fmt::format("read '{}'", path_.native()));
        }
    }
}

}  // namespace nexa::storage
