// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/sha256.h"
#include "core/strong.h"
#include "storage/blob_store.h"
#include "storage/blob_uploads.h"
#include "storage/storage.h"

namespace nexa::storage {

/// The way to a blob's bytes: one of the two is set.
struct BlobWay {
    std::filesystem::path file{};  ///< on this machine, read-only
    std::string link{};            ///< for anybody who has it, for a quarter of an hour
};

/// A blob on its way in. Used by one thread at a time. Blocking. Destroyed before commit() has
/// succeeded, it leaves nothing.
class BlobIntake {
public:
    virtual ~BlobIntake() = default;
    BlobIntake() = default;
    BlobIntake(const BlobIntake&) = delete;
    BlobIntake& operator=(const BlobIntake&) = delete;

    /// Errors: kInvalidArgument (more bytes than announced), kResourceExhausted, kUnavailable.
    virtual Status append(std::string_view piece) = 0;
    /// Makes it a blob. Errors: kConflict (bytes are missing), kDataLoss (others than the
    /// digest's).
    virtual Result<BlobInfo> commit() = 0;
};

/// Where a control plane keeps the blobs of all: on its disk, or in a bucket. Nothing lies under a
/// digest that does not have it: bytes count only once somebody has hashed them, we or a store
/// that is known to. Blocking. Thread-safe.
class BlobVault {
public:
    virtual ~BlobVault() = default;
    BlobVault() = default;
    BlobVault(const BlobVault&) = delete;
    BlobVault& operator=(const BlobVault&) = delete;

    /// Errors: kNotFound.
    virtual Result<Bytes> size(const Sha256Digest& digest) = 0;
    /// `download_name`: what a browser shall call it; may be empty. Errors: kNotFound.
    virtual Result<BlobWay> way_to(
        const Sha256Digest& digest, const std::string& download_name
    ) = 0;
    /// A link to put the blob by, past us. Empty where the bytes must come through take_in(): a
    /// disk, a store that checks no hashes, a blob that is too large for one request.
    virtual Result<std::optional<PresignedRequest>> link_for(
        const Sha256Digest& digest, Bytes size
    ) = 0;
    /// Errors: kInvalidArgument (negative size), kResourceExhausted, kUnavailable.
    virtual Result<std::unique_ptr<BlobIntake>> take_in(const Sha256Digest& digest, Bytes size) = 0;
    /// Calls `visit` for each blob in the order of the digests until it returns false.
    virtual Status list(const std::function<bool(const BlobInfo&)>& visit) = 0;
    /// Errors: kNotFound.
    virtual Status remove(const Sha256Digest& digest) = 0;
};

/// Collaborators outlive it.
std::unique_ptr<BlobVault> make_disk_vault(BlobStore& blobs, BlobUploads& uploads);
/// `bucket` has links.
std::unique_ptr<BlobVault> make_bucket_vault(Storage& bucket);

/// "blobs/sha256/ab/abcd…", as on a disk.
std::string blob_key(const Sha256Digest& digest);

}  // namespace nexa::storage
