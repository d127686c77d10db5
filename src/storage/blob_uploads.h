// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/sha256.h"
#include "core/strong.h"
#include "storage/blob_store.h"

namespace nexa::storage {

struct BlobUploadOptions {
    std::size_t uploads_max = 1024;  ///< begun and not yet ended, in the whole store
};

/// Blobs that arrive in parts, over many requests and restarts: begin, append at the offset that is
/// there, commit. An upload is named by a token that nobody can guess; it says for which blob it
/// is.
///
/// Everything here blocks on the disk. Thread-safe: of two calls on one upload at once, one is
/// refused with kConflict. Parts survive a restart; what a power cut damages is found at commit.
class BlobUploads {
public:
    /// `store` and `random` outlive it.
    BlobUploads(BlobStore& store, Random& random, const BlobUploadOptions& options = {})
        : store_(store), random_(random), options_(options) {}

    /// The token of a new upload. Errors: kInvalidArgument (negative size), kResourceExhausted (too
    /// many uploads, or `size` would exceed the quota), kUnavailable (disk full).
    Result<std::string> begin(const Sha256Digest& digest, Bytes size);
    /// How many bytes are there: where the next part goes.
    /// Errors of this and all below: kMalformed (no token), kNotFound (no such upload, or ended).
    Result<Bytes> offset(std::string_view token) const;
    /// Appends a part and says how many bytes are there now. On an error it is as before.
    /// Errors: kConflict (`offset` is not the one that is there, or another call is writing),
    /// kInvalidArgument (more bytes than announced), kResourceExhausted (quota), kUnavailable.
    Result<Bytes> append(std::string_view token, Bytes offset, std::string_view part);
    /// Makes it a blob, after reading it all. Errors: kConflict (not complete, or another call is
    /// writing); kDataLoss (not the bytes of the digest: the upload is gone).
    Result<BlobInfo> commit(std::string_view token);
    Status abort(std::string_view token);

    /// Ends uploads to which nothing was appended since `idle_since`, by the file system's clock.
    /// Returns how many.
    Result<std::size_t> drop_idle(Timestamp idle_since);

private:
    struct Upload;

    Result<Upload> open(std::string_view token) const;
    /// Ends it: the file goes and its bytes are given back.
    void drop(const Upload& upload);
    Result<std::size_t> count() const;

    BlobStore& store_;
    Random& random_;
    BlobUploadOptions options_;
};

}  // namespace nexa::storage
