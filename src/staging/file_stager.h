// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "net/task.h"
#include "protocol/artifact_files.h"
#include "storage/blob_store.h"
#include "storage/blob_uploads.h"

namespace nexa::staging {

/// Lays out files: FOLDER/<path>, each checked against its hash. What the cache has is not fetched
/// again, and what is removed from the cache meanwhile is. Thread-safe; blocks on the disk pool
/// only.
class FileStager {
public:
    /// A blob's bytes as they come; nobody has checked them.
    using OpenBlob = std::function<net::Task<net::HttpStream>(Sha256Digest digest)>;

    struct Collaborators {
        OpenBlob open_blob;
        storage::BlobStore& cache;
        net::WorkPool& disk;
        const Clock& clock;
        Random& random;
    };
    explicit FileStager(Collaborators with)
        : with_(std::move(with)), downloads_(with_.cache, with_.random) {}

    /// Makes `folder` and the files in it. A failing network is tried again until `token` is
    /// cancelled, ten minutes at most for each file. Errors: those of check_files(), kDataLoss (the
    /// server sends other bytes than the digest's), kCancelled, kUnavailable (network, disk full).
    net::Task<void> stage(
        std::vector<protocol::InputFile> files, std::filesystem::path folder, CancelToken token
    );

private:
    net::Task<void> stage_file(
        protocol::InputFile file, std::filesystem::path target, CancelToken token
    );
    net::Task<void> fetch(Sha256Digest digest, Bytes size, CancelToken token);
    net::Task<void> fetch_once(Sha256Digest digest, Bytes size, CancelToken token);
    net::Task<void> append_all(net::HttpStream stream, std::string upload, CancelToken token);

    Collaborators with_;
    storage::BlobUploads downloads_;
};

/// Refuses what would leave its folder or cannot be: paths, digests, sizes, the same path twice.
/// Errors: kInvalidArgument.
Status check_files(const std::vector<protocol::InputFile>& files);

}  // namespace nexa::staging
