// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/key_file_internal.h"

namespace nexa::crypto {
namespace {

constexpr off_t kKeyFileBytesMax = 16 << 10;

class File {
public:
    explicit File(int fd) : fd_(fd) {}
    ~File() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
};

Error failed(const char* action, const std::filesystem::path& path, int code) {
    const std::string reason = std::generic_category().message(code);
    if (code == ENOENT) {
        return Error::not_found("cannot {} key file {}: {}", action, path.native(), reason);
    }
    if (code == EACCES || code == EPERM) {
        return Error::permission_denied("cannot {} key file {}: {}", action, path.native(), reason);
    }
    return Error::unavailable("cannot {} key file {}: {}", action, path.native(), reason);
}

Status write_whole(int fd, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return failed("write", path, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) {
        return failed("flush", path, errno);
    }
    return {};
}

Status flush_folder(const std::filesystem::path& folder) {
    const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (file.fd() < 0 || ::fsync(file.fd()) != 0) {
        return failed("flush the folder of", folder, errno);
    }
    return {};
}

Status check_mode(const struct stat& status, const std::filesystem::path& path) {
    if (!S_ISREG(status.st_mode)) {
        return Error::malformed("key file {} is no regular file", path.native());
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error::permission_denied(
                   "key file {} has mode {:04o}, so others than its owner may read or change it",
                   path.native(),
                   status.st_mode & 07777U
        )
            .hint("if the key is still secret: chmod 600 " + path.native());
    }
    if (status.st_size > kKeyFileBytesMax) {
        return Error::malformed("key file {} has {} bytes", path.native(), status.st_size);
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
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.fd() < 0) {
        return failed("open", path, errno);
    }
    struct stat status{};
    if (::fstat(file.fd(), &status) != 0) {
        return failed("read", path, errno);
    }
    TRY_STATUS(check_mode(status, path));
    WipedBytes text(static_cast<std::size_t>(status.st_size));
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t got = ::read(file.fd(), text.data() + done, text.size() - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? failed("read", path, errno)
                           : Error::unavailable("key file {} shrank while read", path.native());
        }
        done += static_cast<std::size_t>(got);
    }
    return text;
}

Status create_key_file(const std::filesystem::path& path, const WipedBytes& text) {
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    std::string temporary = (folder / ".key-XXXXXX").native();
    const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
    if (file.fd() < 0) {
        return failed("create", path, errno);
    }
    const Unlinker unlinker(temporary);
    TRY_STATUS(write_whole(file.fd(), text.view(), path));
    // A link, unlike a rename, never replaces what another process put there meanwhile.
    if (::link(temporary.c_str(), path.c_str()) != 0) {
        if (errno == EEXIST) {
            return Error::conflict("key file {} is there already", path.native());
        }
        return failed("create", path, errno);
    }
    return flush_folder(folder);
}

}  // namespace nexa::crypto
