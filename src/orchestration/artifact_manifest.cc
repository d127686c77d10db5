// SPDX-License-Identifier: Apache-2.0
#include "orchestration/artifact_manifest.h"

#include <utility>

#include "core/json.h"
#include "core/json_codec.h"
#include "core/sha256.h"
#include "protocol/job_types.h"
#include "storage/artifact.h"

namespace nexa::orchestration {

namespace {

using protocol::InputFile;

Result<std::vector<storage::ArtifactFile>> listed(const std::vector<InputFile>& files) {
    std::vector<storage::ArtifactFile> listed;
    listed.reserve(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto digest = Sha256Digest::parse(files[i].digest);
        if (!digest) {
            return std::move(digest).error().at("digest").at(fmt::format("files[{}]", i));
        }
        listed.push_back({.path = files[i].path, .digest = *digest, .size = Bytes(files[i].size)});
    }
    return listed;
}

/// Completes the manifest and makes the registry's record of it.
Result<ArtifactRecord> to_record(
    storage::ArtifactManifest about, std::string artifact_id, std::string tenant_id
) {
    TRY(const auto manifest, storage::seal_manifest(std::move(about)));
    TRY(std::string text, storage::manifest_text(manifest));
    ArtifactRecord record{
        .artifact_id = std::move(artifact_id),
        .tenant_id = std::move(tenant_id),
        .kind = manifest.kind,
        .name = manifest.name,
        .root_digest = manifest.root_digest.prefixed(),
        .manifest = {std::move(text)},
        .created_at = manifest.created_at,
    };
    if (!manifest.job_id.empty()) {
        record.job_id = manifest.job_id;
    }
    for (const storage::ArtifactFile& file : manifest.files) {
        record.bytes += file.size.value();
    }
    return record;
}

Result<std::vector<storage::ArtifactInput>> inputs_of(const Job& job) {
    TRY(const auto staged, from_json<std::vector<protocol::JobInput>>(job.inputs.text));
    std::vector<storage::ArtifactInput> inputs;
    for (const protocol::JobInput& input : staged) {
        TRY(const Sha256Digest digest, Sha256Digest::parse(input.root_digest));
        inputs.push_back({
            .uri = fmt::format("internal://{}", input.artifact_id),
            .digest = digest,
            .role = input.name,
        });
    }
    return inputs;
}

}  // namespace

Result<ArtifactRecord> describe_artifact(
    const Job& job, const protocol::ResultArtifact& made, Timestamp now
) {
    if (protocol::artifact_folder(made.kind).empty()) {
        return Error::invalid_argument("there is no kind of artifact '{}'", made.kind).at("kind");
    }
    if (made.artifact_id != protocol::artifact_id_of(job.job_id.text(), made.kind)) {
        return Error::invalid_argument(
                   "{} is not the id of what job {} makes", made.artifact_id, job.job_id.text()
        )
            .at("artifact_id");
    }
    TRY(auto files, listed(made.files));
    TRY(auto inputs, inputs_of(job));
    return to_record(
        {
            .kind = made.kind,
            .name = made.name,
            .created_at = now,
            .job_id = job.job_id.text(),
            .inputs = std::move(inputs),
            .config = job.payload,
            .metrics = {to_json(made.metrics)},
            .files = std::move(files),
        },
        made.artifact_id,
        job.tenant_id
    );
}

Result<ArtifactRecord> describe_upload(const Upload& upload, Timestamp now) {
    TRY(auto files, listed(upload.files));
    return to_record(
        {.kind = upload.kind, .name = upload.name, .created_at = now, .files = std::move(files)},
        upload.artifact_id,
        upload.tenant_id
    );
}

Result<std::vector<InputFile>> files_of(const JsonText& manifest) {
    TRY(const auto read, storage::parse_manifest(manifest.text));
    std::vector<InputFile> files;
    files.reserve(read.files.size());
    for (const storage::ArtifactFile& file : read.files) {
        files.push_back(
            {.path = file.path, .digest = file.digest.prefixed(), .size = file.size.value()}
        );
    }
    return files;
}

}  // namespace nexa::orchestration
