// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/strong.h"
#include "storage/byte_source.h"
#include "storage/object_key.h"

namespace nexa::storage {

struct ObjectInfo {
    std::string key;
    Bytes size;
    Timestamp modified_at;  ///< by the backend's clock
};

/// Objects under keys (see check_key), in a folder or a bucket. Everything blocks; thread-safe. An
/// object is there whole or not at all. All calls refuse a bad key with kInvalidArgument and a
/// backend out of reach with kUnavailable. One conformance suite (storage_test.cc) holds all
/// backends to this.
class Storage {
public:
    virtual ~Storage() = default;
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    /// Stores the bytes of `source` to its end, replacing what is there. When it returns they are
    /// durable; on an error what was there is still there.
    /// Errors: the source's; kUnavailable (disk full); kConflict (a folder backend cannot hold both
    /// "a" and "a/b").
    virtual Status put(std::string_view key, ByteSource& source) = 0;
    Status put(std::string_view key, std::string_view bytes);

    /// Hands all bytes to `sink`: those of one put, also while another one goes on.
    /// Errors: kNotFound; the sink's.
    virtual Status stream(std::string_view key, const ByteSink& sink) = 0;
    /// The same in memory. Errors: also kResourceExhausted (larger than `size_max`).
    Result<std::string> get(std::string_view key, Bytes size_max);

    /// Errors: kNotFound.
    virtual Result<ObjectInfo> stat(std::string_view key) = 0;
    /// Calls `visit` for each object whose key starts with `prefix` (any text, also none), in the
    /// order of the keys' bytes, until it returns false.
    virtual Status list(
        std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit
    ) = 0;
    /// An object that is not there is no error.
    virtual Status remove(std::string_view key) = 0;

    /// Where it lies: get_storage() of this gives the same objects. Holds no secret.
    virtual std::string uri() const = 0;
};

struct StorageOptions {
    Bytes reserve{std::int64_t{64} << 20};  ///< of a folder: free bytes of its disk left to others
};

/// The backend for a location: `file:///folder` (percent-encoded) or a plain path. Makes a folder
/// that is missing. Errors: kInvalidArgument (a scheme that this build does not know, naming those
/// that it knows; a file URI with a host or a bad escape), kUnavailable, kPermissionDenied.
Result<std::unique_ptr<Storage>> get_storage(
    std::string_view uri, const StorageOptions& options = {}
);

}  // namespace nexa::storage
