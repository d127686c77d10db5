// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "net/pools.h"
#include "net/task.h"
#include "protocol/artifact_files.h"
#include "protocol/lease_messages.h"
#include "storage/blob_store.h"
#include "storage/blob_uploads.h"
#include "worker/control_client.h"

namespace nexa::worker {

/// Lays out a job's inputs: FOLDER/<name>/<path>, each file checked against its hash. What the
/// worker has kept from earlier jobs is not fetched again; what nobody has used for longest goes
/// when that becomes too much. Thread-safe; blocks on the disk pool
/// only.
class InputStager {
public:
    struct Collaborators {
        ControlClient& client;
        storage::BlobStore& cache;
        net::WorkPool& disk;
        const Clock& clock;
        Random& random;
    };
    /// `bytes_max`: of what is kept from earlier jobs; 0: no limit. A job's own inputs are fetched
    /// even if they are larger.
    InputStager(Collaborators with, std::int64_t bytes_max)
        : with_(with), bytes_max_(bytes_max), downloads_(with.cache, with.random) {}

    /// Makes `folder`/<name> for each input. A failing network is tried again until `token` is
    /// cancelled, ten minutes at most. Errors: kInvalidArgument (a name, path, size or digest),
    /// kDataLoss (the server sends other bytes than the digest's), kCancelled, kUnavailable
    /// (network, disk full).
    net::Task<void> stage(
        std::vector<protocol::JobInput> inputs, std::filesystem::path folder, CancelToken token
    );

private:
    net::Task<void> stage_file(
        protocol::InputFile file, std::filesystem::path target, CancelToken token
    );
    net::Task<void> fetch(Sha256Digest digest, Bytes size, CancelToken token);
    net::Task<void> fetch_once(Sha256Digest digest, Bytes size, CancelToken token);
    net::Task<void> append_all(net::HttpStream stream, std::string upload, CancelToken token);

    Status make_room(const std::vector<protocol::JobInput>& inputs);

    Collaborators with_;
    const std::int64_t bytes_max_;
    storage::BlobUploads downloads_;
};

/// Refuses what would leave its folder or cannot be: names, paths, digests, sizes, the same place
/// twice.
Status check_inputs(const std::vector<protocol::JobInput>& inputs);

}  // namespace nexa::worker
