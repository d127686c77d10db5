// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file_internal.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/os_error.h"

namespace nexa::crypto {
namespace {

constexpr off_t kKeyFileBytesMax = 16 << 10;

Error failed(int error_number, const char* action, const std::filesystem::path& path) {
    return os_error(error_number, fmt::format("{} key file '{}'", action, path.native()));
}

Status check_mode(const struct stat& status, const std::filesystem::path& path) {
    if (!S_ISREG(status.st_mode)) {
        return Error::malformed("key file '{}' is no regular file", path.native());
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error::permission_denied(
                   "key file '{}' has mode {:04o}, so others than its owner may touch it",
                   path.native(),
                   status.st_mode & 07777U
        )
            .hint(fmt::format("if the key is still secret: chmod 600 '{}'", path.native()));
    }
    if (status.st_size > kKeyFileBytesMax) {
        return Error::malformed("key file '{}' has {} bytes", path.native(), status.st_size);
    }
    return {};
}

Status flush(int fd, const std::filesystem::path& path) {
    // Some network file systems cannot flush a folder and say EINVAL.
    if (::fsync(fd) != 0 && errno != EINVAL) {
        return failed(errno, "flush", path);
    }
    return {};
}

/// Removes the temporary file however the caller leaves.
class Unlinker {
public:
    explicit Unlinker(std::string path) : path_(std::move(path)) {}
    ~Unlinker() { ::unlink(path_.c_str()); }
    Unlinker(const Unlinker&) = delete;
    Unlinker& operator=(const Unlinker&) = delete;

private:
    std::string path_;
};

}  // namespace

Result<WipedBytes> read_key_file(const std::filesystem::path& path) {
    // Not to hang on a named pipe before the check below refuses it.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return failed(errno, "open", path);
    }
    TRY_STATUS(check_mode(status, path));
    WipedBytes text(static_cast<std::size_t>(status.st_size));
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t got = ::read(file.get(), text.data() + done, text.size() - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return failed(errno, "read", path);
        }
        if (got == 0) {
            return Error::unavailable("key file '{}' shrank while it was read", path.native());
        }
        done += static_cast<std::size_t>(got);
    }
    return text;
}

Status create_key_file(const std::filesystem::path& path, const Secret& text) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    std::string temporary = (folder / ".key-XXXXXX").native();
    const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
    if (!file) {
        return failed(errno, "create", path);
    }
    const Unlinker unlinker(temporary);
    TRY_STATUS(
        write_all(file.get(), text.reveal(), fmt::format("write key file '{}'", path.native()))
    );
    TRY_STATUS(flush(file.get(), path));
    // A link, unlike a rename, never replaces what another process put there meanwhile. EEXIST is
    // kConflict.
    if (::link(temporary.c_str(), path.c_str()) != 0) {
        return failed(errno, "create", path);
    }
    const UniqueFd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_fd) {
        return failed(errno, "flush the folder of", path);
    }
    return flush(folder_fd.get(), path);
}

}  // namespace nexa::crypto
