// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "net/pools.h"
#include "net/task.h"
#include "protocol/lease_messages.h"
#include "staging/file_stager.h"
#include "storage/blob_store.h"
#include "worker/control_client.h"

namespace nexa::worker {

/// Lays out a job's inputs: FOLDER/<name>/<path>, each file checked against its hash. What the
/// worker has kept from earlier jobs is not fetched again; what nobody has used for longest goes
/// when that becomes too much. Thread-safe; blocks on the disk pool only.
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
        : with_(with),
          bytes_max_(bytes_max),
          files_({
              .open_blob = [&client = with.client](Sha256Digest digest
                           ) { return client.open_blob(digest); },
              .cache = with.cache,
              .disk = with.disk,
              .clock = with.clock,
              .random = with.random,
          }) {}

    /// Makes `folder`/<name> for each input. Errors: those of check_inputs() and of
    /// staging::FileStager::stage().
    net::Task<void> stage(
        std::vector<protocol::JobInput> inputs, std::filesystem::path folder, CancelToken token
    );

private:
    Status make_room(const std::vector<protocol::JobInput>& inputs);

    Collaborators with_;
    const std::int64_t bytes_max_;
    staging::FileStager files_;
};

/// Refuses what would leave its folder or cannot be: names, paths, digests, sizes, the same place
/// twice. Errors: kInvalidArgument.
Status check_inputs(const std::vector<protocol::JobInput>& inputs);

}  // namespace nexa::worker
