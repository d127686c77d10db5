// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/sha256.h"
#include "net/pools.h"
#include "net/task.h"
#include "protocol/artifact_files.h"
#include "worker/control_client.h"

namespace nexa::worker {

/// A file that a job has left.
struct OutputFile {
    std::filesystem::path source;
    std::string path;  ///< below its artifact's folder, with '/'
    Sha256Digest digest;
    std::int64_t size = 0;
};

/// The regular files below `folder`, sorted by path and hashed. Blocking. Errors: kInvalidArgument
/// for what is neither file nor folder (links could lead anywhere), a path that no artifact may
/// have, more than 100 000 files, or none; kNotFound if there is no such folder; kUnavailable.
Result<std::vector<OutputFile>> list_outputs(const std::filesystem::path& folder);

/// What a job has made, as its result names it.
struct UploadedOutputs {
    std::vector<protocol::ResultArtifact> artifacts;
    std::int64_t bytes = 0;
};

/// Brings a job's outputs to the server: each file under its hash, those that are there already not
/// again, four at a time. Thread-safe; blocks on the disk pool only.
class OutputUploader {
public:
    struct Collaborators {
        ControlClient& client;
        net::WorkPool& disk;
        const Clock& clock;
        Random& random;
    };
    explicit OutputUploader(Collaborators with) : with_(with) {}

    /// `folder` holds the folders that `outputs` name. A failing network is tried again until
    /// `token` is cancelled, ten minutes a file at most. Errors: those of list_outputs(), the
    /// server's, kCancelled.
    net::Task<UploadedOutputs> upload(
        std::vector<protocol::EngineOutput> outputs, std::filesystem::path folder, CancelToken token
    );

private:
    struct Uploading;
    net::Task<void> upload_all(std::vector<OutputFile> files, CancelToken token);
    net::Task<void> upload_in_turn(std::shared_ptr<Uploading> work, CancelToken token);
    net::Task<void> upload_file(OutputFile file, CancelToken token);

    Collaborators with_;
};

}  // namespace nexa::worker
