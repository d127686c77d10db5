// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_uploads.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/os_error.h"
#include "crypto/hex.h"
#include "storage/space_account_internal.h"
#include "storage/temp_file_internal.h"

namespace nexa::storage {

namespace fs = std::filesystem;

namespace {

constexpr const char* kUploads = "blobs/uploads";
constexpr unsigned kUploadMode = 0600;
constexpr unsigned kBlobMode = 0440;

/// "<32 hex digits of chance>_<64 of the digest>_<size>": all that has to be known of an upload.
struct Token {
    Sha256Digest digest;
    Bytes size;

    static std::optional<Token> parse(std::string_view text);
};

constexpr std::size_t kChanceLength = 32;
constexpr std::size_t kSizeStart = kChanceLength + 1 + 64 + 1;

std::optional<Token> Token::parse(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    if (text.size() <= kSizeStart || text.size() > kSizeStart + 19 || text[kChanceLength] != '_' ||
        text[kSizeStart - 1] != '_' ||
        text.substr(0, kChanceLength).find_first_not_of(kHex) != std::string_view::npos) {
        return std::nullopt;
    }
    const auto digest = Sha256Digest::parse(text.substr(kChanceLength + 1, 64));
    const std::string_view digits = text.substr(kSizeStart);
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
    // Written back it must be the same: "+1", "-1" and "007" name no file of ours.
    if (!digest || error != std::errc() || size < 0 || fmt::to_string(size) != digits) {
        return std::nullopt;
    }
    return Token{*digest, Bytes(size)};
}

Result<Sha256Digest> hash_of(int fd, std::string_view token) {
    std::vector<char> room(std::size_t{1} << 20U);
    Sha256 hash;
    while (true) {
        const ssize_t got =
            ::pread(fd, room.data(), room.size(), static_cast<off_t>(hash.byte_count()));
        if (got == 0) {
            return hash.digest();
        }
        if (got < 0 && errno != EINTR) {
            return os_error(errno, fmt::format("read upload {}", token));
        }
        if (got > 0) {
            hash.update(std::string_view(room.data(), static_cast<std::size_t>(got)));
        }
    }
}

Status write_at(int fd, Bytes offset, std::string_view part) {
    auto at = static_cast<off_t>(offset.value());
    while (!part.empty()) {
        const ssize_t written = ::pwrite(fd, part.data(), part.size(), at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return os_error(errno, "write a part of an upload");
        }
        part.remove_prefix(static_cast<std::size_t>(written));
        at += written;
    }
    return {};
}

}  // namespace

/// An upload whose file is open and locked.
struct BlobUploads::Upload {
    Token token;
    UniqueFd file;
    fs::path path;
    Bytes offset;
};

Result<std::string> BlobUploads::begin(const Sha256Digest& digest, Bytes size) {
    if (size.value() < 0) {
        return Error::invalid_argument("a blob cannot have {} bytes", size.value()).at("size");
    }
    TRY(const std::size_t begun, count());
    if (begun >= options_.uploads_max) {
        return Error::resource_exhausted("{} uploads are begun and not ended", begun)
            .hint("commit or abort some, or wait until idle ones are dropped");
    }
    TRY_STATUS(store_.space_->check(size));
    std::array<char, kChanceLength / 2> chance{};
    random_.fill(std::as_writable_bytes(std::span(chance)));
    std::string token = fmt::format(
        "{}_{}_{}", crypto::to_hex({chance.data(), chance.size()}), digest.hex(), size.value()
    );
    const fs::path path = store_.root() / kUploads / token;
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kUploadMode));
    if (!file) {
        return os_error(errno, "begin an upload");
    }
    return token;
}

Result<BlobUploads::Upload> BlobUploads::open(std::string_view token) const {
    const std::optional<Token> parsed = Token::parse(token);
    if (!parsed) {
        return Error::malformed("what names the upload is no upload token");
    }
    const fs::path path = store_.root() / kUploads / token;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno != ENOENT) {
        return os_error(errno, fmt::format("open upload {}", token));
    }
    if (!file) {
        return Error::not_found("no upload {}", token).hint("begin it again");
    }
    TRY(const bool is_locked, lock_file(file.get()));
    if (!is_locked) {
        return Error::conflict("upload {} is being written by another call", token);
    }
    struct stat status{};
    struct stat there{};
    // Before it was locked it may have ended, and the file may be a blob by now.
    if (::fstat(file.get(), &status) != 0 || ::lstat(path.c_str(), &there) != 0 ||
        status.st_ino != there.st_ino) {
        return Error::not_found("upload {} has just ended", token);
    }
    return Upload{*parsed, std::move(file), path, Bytes(status.st_size)};
}

Result<Bytes> BlobUploads::offset(std::string_view token) const {
    TRY(const Upload upload, open(token));
    return upload.offset;
}

Result<Bytes> BlobUploads::append(std::string_view token, Bytes offset, std::string_view part) {
    TRY(const Upload upload, open(token));
    if (offset != upload.offset) {
        return Error::conflict(
                   "upload {} has {} bytes, so no part can start at {}",
                   token,
                   upload.offset.value(),
                   offset.value()
        )
            .at("offset");
    }
    const Bytes size(static_cast<std::int64_t>(part.size()));
    if (size > upload.token.size - offset) {
        return Error::invalid_argument(
            "upload {} was announced with {} bytes, but {} came",
            token,
            upload.token.size.value(),
            (offset + size).value()
        );
    }
    Taken taken(*store_.space_);
    TRY_STATUS(taken.more(size));
    if (Status written = write_at(upload.file.get(), offset, part); !written) {
        if (::ftruncate(upload.file.get(), static_cast<off_t>(offset.value())) != 0) {
            drop(upload);
        }
        return std::move(written).error();
    }
    taken.keep();
    return offset + size;
}

Result<BlobInfo> BlobUploads::commit(std::string_view token) {
    TRY(const Upload upload, open(token));
    const BlobInfo blob{upload.token.digest, upload.token.size};
    if (upload.offset != blob.size) {
        return Error::conflict(
            "upload {} has {} of its {} bytes", token, upload.offset.value(), blob.size.value()
        );
    }
    TRY(const Sha256Digest actual, hash_of(upload.file.get(), token));
    if (actual != blob.digest) {
        drop(upload);
        return Error::data_loss("uploaded bytes hash to {}, not to {}", actual, blob.digest)
            .hint("begin the upload again");
    }
    if (::fchmod(upload.file.get(), kBlobMode) != 0 || ::fsync(upload.file.get()) != 0) {
        return os_error(errno, fmt::format("flush upload {}", token));
    }
    TRY(const bool is_new, store_.publish(upload.path, blob));
    if (::unlink(upload.path.c_str()) == 0 && !is_new) {
        store_.space_->give_back(blob.size);
    }
    return blob;
}

Status BlobUploads::abort(std::string_view token) {
    TRY(const Upload upload, open(token));
    drop(upload);
    return {};
}

void BlobUploads::drop(const Upload& upload) {
    if (::unlink(upload.path.c_str()) == 0) {
        store_.space_->give_back(upload.offset);
    }
}

Result<std::size_t> BlobUploads::count() const {
    std::error_code error;
    std::size_t found = 0;
    for (auto entry = fs::directory_iterator(store_.root() / kUploads, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        ++found;
    }
    if (error) {
        return os_error(error.value(), "count uploads");
    }
    return found;
}

Result<std::size_t> BlobUploads::drop_idle(Timestamp idle_since) {
    std::vector<std::string> tokens;
    std::error_code error;
    for (auto entry = fs::directory_iterator(store_.root() / kUploads, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        tokens.push_back(entry->path().filename().native());
    }
    if (error) {
        return os_error(error.value(), "list uploads");
    }
    std::size_t dropped = 0;
    for (const std::string& token : tokens) {
        // One that is being written or has just ended is not idle.
        const auto upload = open(token);
        struct stat status{};
        if (!upload || ::fstat(upload->file.get(), &status) != 0) {
            continue;
        }
        const Timestamp changed(
            std::chrono::seconds(status.st_mtim.tv_sec) +
            std::chrono::microseconds(status.st_mtim.tv_nsec / 1000)
        );
        if (changed < idle_since) {
            drop(*upload);
            ++dropped;
        }
    }
    return dropped;
}

}  // namespace nexa::storage
