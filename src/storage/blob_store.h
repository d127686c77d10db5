// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/result.h"
#include "core/sha256.h"
#include "core/strong.h"
#include "storage/byte_source.h"

namespace nexa::storage {

class SpaceAccount;

struct BlobInfo {
    Sha256Digest digest;
    Bytes size;

    friend bool operator==(const BlobInfo&, const BlobInfo&) = default;
};

struct BlobStoreOptions {
    std::optional<Bytes> quota = std::nullopt;  ///< of blobs and uploads together; none: the disk's
    Bytes reserve{std::int64_t{64} << 20};      ///< free bytes of the file system left to others
};

/// An open blob. It stays readable when the blob is removed meanwhile. Thread-safe.
class BlobReader {
public:
    BlobReader(UniqueFd file, const BlobInfo& info) : file_(std::move(file)), info_(info) {}

    const BlobInfo& info() const { return info_; }
    /// Fills `room` from `offset` on; fewer bytes only at the end, none beyond it. Blocking. Checks
    /// no hash: a part cannot be checked alone.
    Result<std::size_t> read_at(std::uint64_t offset, std::span<char> room) const;

private:
    friend class BlobStore;

    UniqueFd file_;
    BlobInfo info_;
};

/// Blobs on disk, each under the SHA-256 of its bytes (docs/formats/blob_store.md).
///
/// Everything here blocks on the disk. Thread-safe; several processes may share a root, but then
/// each counts only what it has seen against its quota. A blob is there whole or not at all, also
/// after a power cut, and is never written again. Nothing here trusts the disk: whole reads are
/// checked.
class BlobStore {
public:
    /// Makes `root` where it is missing and removes what crashed writers have left. With a quota it
    /// looks at every blob once. Errors: kUnavailable, kPermissionDenied.
    static Result<std::unique_ptr<BlobStore>> open(
        const std::filesystem::path& root, const BlobStoreOptions& options = {}
    );
    ~BlobStore();

    /// Stores the bytes of `source` to its end. Bytes that are there already are no error. When
    /// this returns they are on the disk; on an error nothing is left. Errors: the source's;
    /// kResourceExhausted (quota); kUnavailable (disk full).
    Result<BlobInfo> put(ByteSource& source);
    Result<BlobInfo> put(std::string_view bytes);
    /// The same. Errors: also kDataLoss if the bytes are not those of `digest`.
    Result<BlobInfo> put_expected(const Sha256Digest& digest, ByteSource& source);

    /// Errors: kNotFound.
    Result<BlobReader> open_blob(const Sha256Digest& digest) const;
    /// All bytes, checked. Errors: kNotFound; kResourceExhausted (larger than `size_max`);
    /// kDataLoss: the bytes are not those of `digest`, and the blob has been moved to
    /// blobs/quarantine/.
    Result<std::string> read(const Sha256Digest& digest, Bytes size_max);
    /// All bytes piece by piece. What `sink` got counts only once this returns without an error.
    /// Errors: those of read() and the sink's.
    Status stream(const Sha256Digest& digest, const ByteSink& sink);
    /// Reads the blob and checks its bytes. Errors: those of read().
    Status verify(const Sha256Digest& digest);

    /// Errors: kNotFound.
    Result<Bytes> size(const Sha256Digest& digest) const;
    bool exists(const Sha256Digest& digest) const { return size(digest).has_value(); }
    /// Where the blob lies, for hard links and mmap. The file is read-only: never write to it.
    /// Errors: kNotFound.
    Result<std::filesystem::path> path_of(const Sha256Digest& digest) const;
    /// Errors: kNotFound.
    Status remove(const Sha256Digest& digest);

    /// Calls `visit` for each blob in the order of the digests until it returns false. Blobs that
    /// come or go meanwhile may be seen or not. Holds the names of 1/256 of all blobs in memory.
    Status list(const std::function<bool(const BlobInfo&)>& visit) const;
    /// The sum over list(), so it walks over all blobs.
    Result<Bytes> total_bytes() const;

    const std::filesystem::path& root() const { return root_; }

private:
    friend class BlobUploads;

    BlobStore(std::filesystem::path root, const BlobStoreOptions& options);
    Result<BlobInfo> put_checked(const std::optional<Sha256Digest>& expected, ByteSource& source);
    /// Gives the whole, flushed file at `path` its place; true if the blob was not there before.
    Result<bool> publish(const std::filesystem::path& path, const BlobInfo& blob);
    /// What publish() or remove() did is on the disk.
    Status flush_shard(const Sha256Digest& digest);
    Status check_digest(const BlobReader& blob, const Sha256Digest& actual);
    void quarantine(const BlobReader& blob);
    Result<Bytes> bytes_of_uploads() const;
    std::filesystem::path place_of(const Sha256Digest& digest) const;

    std::filesystem::path root_;
    std::unique_ptr<SpaceAccount> space_;
    std::array<std::atomic<bool>, 256> named_shards_{};  ///< whose own names we know to be on disk
};

}  // namespace nexa::storage
