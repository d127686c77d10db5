// SPDX-License-Identifier: Apache-2.0
#include "core/storage_paths.h"

#include "core/check.h"

namespace nexa {

namespace {

using Path = std::filesystem::path;

constexpr std::size_t kIdBytesMax = 128;
constexpr std::size_t kSha256Digits = 64;
constexpr std::string_view kLettersAndDigits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kIdCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

Result<Path> under(const Path& folder, std::string_view id) {
    TRY_STATUS(check_path_id(id));
    return folder / id;
}

Path blob_under(const Path& folder, const Sha256Digest& digest) {
    const std::string hex = digest.hex();
    return folder / hex.substr(0, 2) / hex;
}

Result<Path> blob_under(const Path& folder, std::string_view sha256) {
    // Sha256Digest reads "sha256:…" too, which is no name of a file.
    if (sha256.size() != kSha256Digits) {
        return Error::invalid_argument(
            "'{}' is no SHA-256 of {} hexadecimal digits",
            sha256.substr(0, kIdBytesMax),
            kSha256Digits
        );
    }
    TRY(const Sha256Digest digest, Sha256Digest::parse(sha256));
    return blob_under(folder, digest);
}

}  // namespace

std::string_view to_string(ArtifactFolder folder) {
    switch (folder) {
        case ArtifactFolder::kDatasets:
            return "datasets";
        case ArtifactFolder::kDistill:
            return "distill";
        case ArtifactFolder::kCheckpoints:
            return "checkpoints";
        case ArtifactFolder::kEvals:
            return "evals";
        case ArtifactFolder::kDeployments:
            return "deployments";
    }
    NEXA_CHECK(false);
}

Status check_path_id(std::string_view id) {
    if (id.empty() || id.size() > kIdBytesMax || !kLettersAndDigits.contains(id.front()) ||
        id.find_first_not_of(kIdCharacters) != std::string_view::npos) {
        return Error::invalid_argument(
            "'{}' is no id: 1 to {} letters, digits, '.', '_' and '-', starting with a letter or "
            "digit",
            id.substr(0, kIdBytesMax),
            kIdBytesMax
        );
    }
    return {};
}

Result<Path> StoragePaths::blob(std::string_view sha256) const {
    return blob_under(blobs(), sha256);
}

Path StoragePaths::blob(const Sha256Digest& digest) const {
    return blob_under(blobs(), digest);
}

Path StoragePaths::artifacts(ArtifactFolder folder) const {
    return root_ / "artifacts" / to_string(folder);
}

Result<Path> StoragePaths::artifact(ArtifactFolder folder, std::string_view id) const {
    return under(artifacts(folder), id);
}

Result<Path> StoragePaths::job(std::string_view id) const {
    return under(jobs(), id);
}

Result<Path> StoragePaths::run(std::string_view id) const {
    return under(runs(), id);
}

Result<Path> StoragePaths::run_manifest(std::string_view id) const {
    TRY(const Path folder, run(id));
    return folder / "manifest.json";
}

Result<Path> StoragePaths::worker_job(std::string_view id) const {
    return under(worker_jobs(), id);
}

Result<Path> StoragePaths::worker_blob(std::string_view sha256) const {
    return blob_under(worker_blobs(), sha256);
}

Path StoragePaths::worker_blob(const Sha256Digest& digest) const {
    return blob_under(worker_blobs(), digest);
}

}  // namespace nexa
