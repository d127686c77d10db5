// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/retry.h"
#include "core/secrets.h"
#include "core/sha256.h"
#include "core/strong.h"
#include "storage/byte_source.h"
#include "storage/object_key.h"
#include "storage/sigv4.h"

namespace nexa::storage {

struct ObjectInfo {
    std::string key{};
    Bytes size{};
    Timestamp modified_at{};  ///< by the backend's clock
};

/// Which bytes of an object: `length` of them from `offset` on, to its end without one. What lies
/// beyond the end is not there: fewer bytes or none, and no error.
struct ByteRange {
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> length{};
};

struct PutOptions {
    /// Only if there is no such object yet, decided by the backend: of two at once one loses with
    /// kConflict.
    bool only_if_absent = false;
};

/// An object on its way in parts, over restarts: what begin_upload() returned names it.
struct PartUpload {
    std::string key{};
    std::string id{};
    Timestamp begun_at{};  ///< by the backend's clock; set by list_uploads()
};

struct UploadedPart {
    int number = 0;  ///< 1 to kPartsMax; their order is that of the bytes
    Bytes size{};
    std::string tag{};  ///< the backend's word for its bytes
};

inline constexpr int kPartsMax = 10'000;
/// Smaller ones are refused by buckets, but as the last.
inline constexpr Bytes kPartBytesMin{std::int64_t{5} << 20};

/// A request that anybody may send until it expires: the link is the permission.
struct PresignedRequest {
    std::string url{};
    std::vector<std::pair<std::string, std::string>> headers{
    };  ///< to be sent with it, as they are
    Timestamp expires_at{};
};

struct GetLink {
    std::string key{};
    std::chrono::seconds expires{900};
    /// What the answer says of itself; empty: as stored.
    std::string content_disposition{};
};

struct PutLink {
    std::string key{};
    std::chrono::seconds expires{3600};
    /// The store takes these bytes and no others. Only where checks_content() is true.
    std::optional<Sha256Digest> content{};
};

/// Objects under keys (see check_key), in a folder or a bucket. Everything blocks; thread-safe. An
/// object is there whole or not at all. All calls refuse a bad key with kInvalidArgument and a
/// backend out of reach with kUnavailable; a bucket that does not take our credentials answers
/// kPermissionDenied. One conformance suite (storage_test.cc) holds all backends to this.
class Storage {
public:
    virtual ~Storage() = default;
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    /// Stores the bytes of `source` to its end, replacing what is there. When it returns they are
    /// durable; on an error what was there is still there.
    /// Errors: the source's; kUnavailable (disk full); kConflict (a folder backend cannot hold both
    /// "a" and "a/b"; PutOptions).
    virtual Status put(std::string_view key, ByteSource& source, const PutOptions& options) = 0;
    Status put(std::string_view key, ByteSource& source) { return put(key, source, {}); }
    Status put(std::string_view key, std::string_view bytes, const PutOptions& options = {});

    /// Hands the bytes to `sink`: those of one put, also while another one goes on.
    /// Errors: kNotFound; the sink's; kDataLoss (all bytes were asked for, and they are not those
    /// that the backend knows a hash of).
    virtual Status stream(std::string_view key, const ByteRange& range, const ByteSink& sink) = 0;
    Status stream(std::string_view key, const ByteSink& sink) { return stream(key, {}, sink); }
    /// The same in memory. Errors: also kResourceExhausted (larger than `size_max`).
    Result<std::string> get(std::string_view key, Bytes size_max, const ByteRange& range = {});

    /// Errors: kNotFound.
    virtual Result<ObjectInfo> stat(std::string_view key) = 0;
    /// Calls `visit` for each object whose key starts with `prefix` (any text, also none), in the
    /// order of the keys' bytes, until it returns false.
    virtual Status list(
        std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit
    ) = 0;
    /// An object that is not there is no error.
    virtual Status remove(std::string_view key) = 0;

    /// Parts: for what is too large for one request, or must survive a break. Errors of all that
    /// take an upload: kNotFound (no such upload, or ended).
    virtual Result<PartUpload> begin_upload(std::string_view key) = 0;
    /// A part that is there already is replaced. Errors: kInvalidArgument (number).
    virtual Result<UploadedPart> put_part(
        const PartUpload& upload, int number, std::string_view bytes
    ) = 0;
    /// What is there, by number: where to go on.
    virtual Result<std::vector<UploadedPart>> list_parts(const PartUpload& upload) = 0;
    /// Makes the object of these parts; the upload ends. Errors: kInvalidArgument (none, out of
    /// order, not as they were put); kConflict (PutOptions).
    virtual Status complete_upload(
        const PartUpload& upload, std::span<const UploadedPart> parts, const PutOptions& options
    ) = 0;
    Status complete_upload(const PartUpload& upload, std::span<const UploadedPart> parts) {
        return complete_upload(upload, parts, {});
    }
    /// One that has ended is no error.
    virtual Status abort_upload(const PartUpload& upload) = 0;
    /// Those begun and not ended, for clearing up what nobody will end. Not every server lists
    /// them: kInvalidArgument.
    virtual Result<std::vector<PartUpload>> list_uploads() = 0;

    /// Links that need no credentials. Errors: kInvalidArgument (a folder has none; not 1 second to
    /// 7 days; content that this store cannot check).
    virtual Result<PresignedRequest> presign(const GetLink& link) = 0;
    virtual Result<PresignedRequest> presign(const PutLink& link) = 0;
    /// Whether it is a bucket, so that presign() works.
    virtual bool has_links() const = 0;
    /// Whether the store itself refuses bytes that are not those of PutLink::content. Asks it with
    /// a small object of wrong content the first time.
    virtual Result<bool> checks_content() = 0;

    /// Where it lies: get_storage() of this gives the same objects. Holds no secret.
    virtual std::string uri() const = 0;
};

/// How a bucket is named in a URL.
enum class BucketStyle : std::uint8_t {
    kAuto,  ///< by path at an endpoint of one's own or with dots in its name, else by host
    kPath,
    kHost,
};

/// What a bucket needs besides its name. Collaborators outlive the storage; s3:// and gs:// need
/// clock, random and sleeper.
struct BucketOptions {
    /// "https://nyc3.digitaloceanspaces.com"; empty: Amazon's of the region, or Google's.
    std::string endpoint{};
    /// Where presigned links point to, if clients reach the store under another name.
    std::string public_endpoint{};
    std::string region{};  ///< empty: us-east-1, or Google's auto
    BucketStyle style = BucketStyle::kAuto;
    std::string ca_file{};  ///< empty: the system's
    std::string proxy{};
    /// Asked before each request, so that rotated ones are taken up.
    std::function<Result<ObjectCredentials>()> credentials{};
    const Clock* clock = nullptr;
    Random* random = nullptr;
    Sleeper* sleeper = nullptr;
    Bytes part_size{std::int64_t{16} << 20};  ///< of what put() sends in parts
    RetryPolicy retry{
        .attempts = 6,
        .base = std::chrono::milliseconds(200),
        .cap = std::chrono::seconds(10),
        .total_max = std::chrono::seconds(90),
    };
};

struct StorageOptions {
    Bytes reserve{std::int64_t{64} << 20};  ///< of a folder: free bytes of its disk left to others
    BucketOptions bucket{};
};

/// The backend for a location: `file:///folder` (percent-encoded) or a plain path, a folder that is
/// made where it is missing; `s3://bucket/prefix` and `gs://bucket/prefix`, as they are written, no
/// request yet. Errors: kInvalidArgument (a scheme that this build does not know, naming those that
/// it knows; a file URI with a host or a bad escape; a name that no bucket can have; no
/// credentials), kUnavailable, kPermissionDenied.
Result<std::unique_ptr<Storage>> get_storage(
    std::string_view uri, const StorageOptions& options = {}
);

/// Those of s3:// from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN; of
/// gs:// from GCS_HMAC_KEY_ID and GCS_HMAC_SECRET: environment or files (see SecretManager).
/// Errors: those of SecretManager.
Result<ObjectCredentials> find_credentials(const SecretManager& secrets, std::string_view uri);

}  // namespace nexa::storage
