// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/result.h"
#include "core/sha256.h"

namespace nexa {

/// The folders under artifacts/.
enum class ArtifactFolder : std::uint8_t {
    kDatasets,
    kDistill,
    kCheckpoints,
    kEvals,
    kDeployments
};
std::string_view to_string(ArtifactFolder folder);

/// An id that may stand in a path: 1 to 128 letters, digits, '.', '_' and '-', the first one a
/// letter or digit. So no id escapes the root or hides. Errors: kInvalidArgument.
Status check_path_id(std::string_view id);

/// Where everything lies, derived from one root. Pure: nothing is created or looked at.
/// What takes an id or a digest refuses a bad one (kInvalidArgument), so every path lies under the
/// root.
class StoragePaths {
public:
    using Path = std::filesystem::path;

    explicit StoragePaths(const Path& root) : root_(root.lexically_normal()) {}

    const Path& root() const { return root_; }
    Path blobs() const { return root_ / "blobs/sha256"; }
    /// `sha256` is 64 lower-case hexadecimal digits: blobs/sha256/ab/abcd….
    Result<Path> blob(std::string_view sha256) const;
    Path blob(const Sha256Digest& digest) const;
    Path artifacts(ArtifactFolder folder) const;
    Result<Path> artifact(ArtifactFolder folder, std::string_view id) const;
    Path jobs() const { return root_ / "jobs"; }
    Result<Path> job(std::string_view id) const;
    Path runs() const { return root_ / "runs"; }
    Result<Path> run(std::string_view id) const;
    Result<Path> run_manifest(std::string_view id) const;
    Path logs() const { return root_ / "logs"; }
    Path temporary() const { return root_ / "tmp"; }
    Path database() const { return root_ / "db/nexa.db"; }
    Path keys() const { return root_ / "keys"; }

    /// What a worker keeps: its own keys, the inputs it has fetched, one folder per running job,
    /// and results that wait for the server.
    Path worker() const { return root_ / "worker"; }
    Path worker_keys() const { return root_ / "worker/keys"; }
    Path worker_jobs() const { return root_ / "worker/jobs"; }
    Result<Path> worker_job(std::string_view id) const;
    Path worker_blobs() const { return root_ / "worker/blobs/sha256"; }
    Result<Path> worker_blob(std::string_view sha256) const;
    Path worker_blob(const Sha256Digest& digest) const;
    Path worker_outbox() const { return root_ / "worker/outbox"; }
    /// Answers of teachers that were paid for.
    Path worker_answers() const { return root_ / "worker/answers"; }

private:
    Path root_;
};

}  // namespace nexa
