// SPDX-License-Identifier: Apache-2.0
#include "orchestration/artifact_service.h"

#include <algorithm>

#include "orchestration/artifact_manifest.h"

namespace nexa::orchestration {

namespace {

Result<Sha256Digest> digest_from(const std::string& text) {
    auto digest = Sha256Digest::parse(text);
    if (!digest) {
        return std::move(digest).error().at("digest");
    }
    return digest;
}

Result<protocol::ArtifactView> to_view(const ArtifactRecord& record) {
    TRY(auto files, files_of(record.manifest));
    return protocol::ArtifactView{
        .artifact_id = record.artifact_id,
        .kind = record.kind,
        .name = record.name,
        .uri = fmt::format("internal://{}", record.artifact_id),
        .job_id = record.job_id,
        .root_digest = record.root_digest,
        .bytes = record.bytes,
        .created_at = to_rfc3339(record.created_at),
        .files = std::move(files),
    };
}

/// Every file is there, with the size that was said.
Status check_stored(
    const storage::BlobStore& blobs, const std::vector<protocol::InputFile>& files
) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::string place = fmt::format("files[{}]", i);
        TRY(const Sha256Digest digest, digest_from(files[i].digest));
        auto size = blobs.size(digest);
        if (!size) {
            return std::move(size).error().at("digest").at(place).hint(
                "upload it with PUT /api/blobs/{digest} first"
            );
        }
        if (size->value() != files[i].size) {
            return Error::invalid_argument(
                       "{} has {} bytes, not {}", files[i].path, size->value(), files[i].size
            )
                .at("size")
                .at(place);
        }
    }
    return {};
}

template <class Id>
std::string new_id(IdSource& ids) {
    return ids.make<Id>().text();
}

}  // namespace

net::Task<storage::BlobInfo> ArtifactService::upload(
    std::string digest, std::shared_ptr<net::BodySource> body
) {
    CO_TRY(const Sha256Digest expected, digest_from(digest));
    net::WorkPool& pool = with_.backend.pool;
    const auto there = co_await net::run_on(pool, [&blobs = with_.blobs, expected] {
        return blobs.size(expected);
    });
    if (there) {
        co_return storage::BlobInfo{.digest = expected, .size = *there};
    }
    const auto length = body->length();
    if (!length) {
        co_return Error::invalid_argument("an upload needs a Content-Length").at("Content-Length");
    }
    const Bytes size(static_cast<std::int64_t>(*length));
    auto begin = [&uploads = with_.uploads, expected, size] {
        return uploads.begin(expected, size);
    };
    CO_TRY(const std::string token, co_await net::run_on(pool, std::move(begin)));
    Bytes offset;
    while (true) {
        auto piece = co_await body->read();
        if (!piece || piece->empty()) {
            break;
        }
        auto append = [&uploads = with_.uploads, token, offset, piece = *std::move(piece)] {
            return uploads.append(token, offset, piece);
        };
        const auto stored = co_await net::run_on(pool, std::move(append));
        if (!stored) {
            auto drop = [&uploads = with_.uploads, token] { return uploads.abort(token); };
            static_cast<void>(co_await net::run_on(pool, std::move(drop)));
            co_return stored.error();
        }
        offset = *stored;
    }
    auto commit = [&uploads = with_.uploads, token] {
        auto committed = uploads.commit(token);
        if (!committed && committed.error().code == ErrorCode::kConflict) {
            static_cast<void>(uploads.abort(token));  // the client went in the middle
        }
        return committed;
    };
    co_return co_await net::run_on(pool, std::move(commit));
}

net::Task<ArtifactFileRef> ArtifactService::blob(std::string digest) {
    CO_TRY(const Sha256Digest wanted, digest_from(digest));
    auto look = [&blobs = with_.blobs, wanted]() -> Result<ArtifactFileRef> {
        TRY(auto path, blobs.path_of(wanted));
        return ArtifactFileRef{.path = std::move(path), .digest = wanted.prefixed()};
    };
    co_return co_await net::run_on(with_.backend.pool, std::move(look));
}

net::Task<protocol::ArtifactView> ArtifactService::add(
    protocol::ArtifactCreate wish, accounts::Principal principal
) {
    auto check = [&blobs = with_.blobs, files = wish.files] { return check_stored(blobs, files); };
    CO_TRY_STATUS(co_await net::run_on(with_.backend.pool, std::move(check)));
    const Upload upload{
        .artifact_id = wish.kind == "checkpoint" ? new_id<CheckpointId>(with_.ids)
                                                 : new_id<DatasetId>(with_.ids),
        .tenant_id = std::move(principal.project_id),
        .kind = std::move(wish.kind),
        .name = std::move(wish.name),
        .files = std::move(wish.files),
    };
    auto apply = [upload](db::Tx& tx) -> Result<protocol::ArtifactView> {
        TRY(const ArtifactRecord record, describe_upload(upload, tx.now()));
        TRY_STATUS(artifact_store::add(tx, record));
        return to_view(record);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<protocol::ArtifactView> ArtifactService::get(
    std::string artifact_id, accounts::Principal principal
) {
    auto look_up = [artifact_id = std::move(artifact_id),
                    tenant_id = std::move(principal.project_id)](db::Tx& tx
                   ) -> Result<protocol::ArtifactView> {
        TRY(const ArtifactRecord record, artifact_store::get(tx, artifact_id, tenant_id));
        return to_view(record);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<std::string> ArtifactService::manifest(
    std::string artifact_id, accounts::Principal principal
) {
    auto look_up = [artifact_id = std::move(artifact_id),
                    tenant_id =
                        std::move(principal.project_id)](db::Tx& tx) -> Result<std::string> {
        TRY(ArtifactRecord record, artifact_store::get(tx, artifact_id, tenant_id));
        return std::move(record.manifest.text);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<ArtifactPage> ArtifactService::list(ArtifactFilter filter) {
    auto look_up = [filter = std::move(filter)](db::Tx& tx) -> Result<ArtifactPage> {
        TRY(const auto records, artifact_store::list(tx, filter));
        const auto limit = static_cast<std::size_t>(filter.limit);
        ArtifactPage page;
        for (std::size_t i = 0; i < std::min(records.size(), limit); ++i) {
            TRY(auto view, to_view(records[i]));
            page.artifacts.push_back(std::move(view));
        }
        if (records.size() > limit) {
            page.next_cursor = std::to_string(records[limit - 1].sequence);
        }
        return page;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::ArtifactLineage> ArtifactService::lineage(
    std::string artifact_id, accounts::Principal principal
) {
    auto look_up = [artifact_id = std::move(artifact_id),
                    tenant_id = std::move(principal.project_id)](db::Tx& tx) {
        return artifact_store::lineage(tx, artifact_id, tenant_id);
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<void> ArtifactService::remove(std::string artifact_id, accounts::Principal principal) {
    auto apply = [artifact_id = std::move(artifact_id),
                  tenant_id = std::move(principal.project_id)](db::Tx& tx) {
        return artifact_store::remove(tx, artifact_id, tenant_id);
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<ArtifactFileRef> ArtifactService::file(
    std::string artifact_id, std::string path, accounts::Principal principal
) {
    CO_TRY(
        const protocol::ArtifactView artifact,
        co_await get(std::move(artifact_id), std::move(principal))
    );
    const auto found = std::ranges::find(artifact.files, path, &protocol::InputFile::path);
    if (found == artifact.files.end()) {
        co_return Error::not_found("{} has no file '{}'", artifact.artifact_id, path).at("path");
    }
    co_return co_await blob(found->digest);
}

}  // namespace nexa::orchestration
