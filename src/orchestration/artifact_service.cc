// SPDX-License-Identifier: Apache-2.0
#include "orchestration/artifact_service.h"

#include <algorithm>

#include "orchestration/artifact_manifest.h"
#include "orchestration/blob_registry.h"

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

/// To know the hash of a file is not to have it.
Status check_held(
    db::Tx& tx, const std::vector<protocol::InputFile>& files, const std::string& tenant_id
) {
    for (std::size_t i = 0; i < files.size(); ++i) {
        TRY(const bool is_held, blob_registry::holds(tx, files[i].digest, tenant_id));
        if (!is_held) {
            return Error::not_found("{} was not uploaded", files[i].digest)
                .at("digest")
                .at(fmt::format("files[{}]", i))
                .hint("upload it with PUT /api/blobs/{digest} first");
        }
    }
    return {};
}

/// Every file is there, with the size that was said.
Status check_stored(storage::BlobVault& blobs, const std::vector<protocol::InputFile>& files) {
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

/// All of `body` into `intake`.
net::Task<storage::BlobInfo> pour(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the program's own
    net::WorkPool& pool,
    std::shared_ptr<storage::BlobIntake> intake,
    std::shared_ptr<net::BodySource> body
) {
    while (true) {
        auto piece = co_await body->read();
        if (!piece || piece->empty()) {
            break;  // that bytes are missing is for commit() to see
        }
        auto append = [intake, piece = *std::move(piece)] { return intake->append(piece); };
        CO_TRY_STATUS(co_await net::run_on(pool, std::move(append)));
    }
    co_return co_await net::run_on(pool, [intake] { return intake->commit(); });
}

template <class Id>
std::string new_id(IdSource& ids) {
    return ids.make<Id>().text();
}

}  // namespace

net::Task<ArtifactService::Standing> ArtifactService::look_at(
    Sha256Digest digest, Bytes size, std::optional<std::string> tenant_id
) {
    auto see = [digest = digest.prefixed(), size, tenant_id = std::move(tenant_id)](db::Tx& tx
               ) -> Result<bool> {
        TRY_STATUS(blob_registry::see(tx, digest, size.value()));
        return tenant_id ? blob_registry::holds(tx, digest, *tenant_id) : Result<bool>(true);
    };
    CO_TRY(const bool is_held, co_await with_.backend.write(std::move(see)));
    auto look = [&blobs = with_.blobs, digest] { return blobs.size(digest); };
    const auto stored = co_await net::run_on(with_.blob_pool, std::move(look));
    if (!stored && stored.error().code != ErrorCode::kNotFound) {
        co_return stored.error();
    }
    co_return Standing{.stored = stored ? std::optional(*stored) : std::nullopt, .held = is_held};
}

net::Task<void> ArtifactService::note_held(
    Sha256Digest digest, Bytes size, std::optional<std::string> tenant_id
) {
    auto note = [digest = digest.prefixed(), size, tenant_id = std::move(tenant_id)](db::Tx& tx
                ) -> Status {
        TRY_STATUS(blob_registry::see(tx, digest, size.value()));
        return tenant_id ? blob_registry::hold(tx, digest, *tenant_id) : Status();
    };
    co_return co_await with_.backend.write(std::move(note));
}

net::Task<storage::BlobInfo> ArtifactService::upload(
    std::string digest, std::optional<std::string> tenant_id, std::shared_ptr<net::BodySource> body
) {
    CO_TRY(const Sha256Digest expected, digest_from(digest));
    const auto length = body->length();
    if (!length) {
        co_return Error::invalid_argument("an upload needs a Content-Length").at("Content-Length");
    }
    const Bytes size(static_cast<std::int64_t>(*length));
    CO_TRY(const Standing standing, co_await look_at(expected, size, tenant_id));
    if (standing.stored && standing.held) {
        co_return storage::BlobInfo{.digest = expected, .size = *standing.stored};
    }
    net::WorkPool& pool = with_.blob_pool;
    auto begin = [&blobs = with_.blobs, expected, size] { return blobs.take_in(expected, size); };
    CO_TRY(auto begun, co_await net::run_on(pool, std::move(begin)));
    const std::shared_ptr<storage::BlobIntake> intake = std::move(begun);
    const Result<storage::BlobInfo> taken = co_await pour(pool, intake, std::move(body));
    if (!taken) {
        // What it drops it drops where blocking is allowed.
        auto last = std::make_shared<std::shared_ptr<storage::BlobIntake>>(intake);
        static_cast<void>(co_await net::run_on(pool, [last] { return Status(); }));
        co_return taken;
    }
    CO_TRY_STATUS(co_await note_held(expected, taken->size, std::move(tenant_id)));
    co_return taken;
}

net::Task<protocol::UploadPlan> ArtifactService::plan_upload(
    std::string digest, std::optional<std::string> tenant_id, protocol::UploadWish wish
) {
    CO_TRY(const Sha256Digest expected, digest_from(digest));
    const Bytes size(wish.size);
    CO_TRY(const Standing standing, co_await look_at(expected, size, tenant_id));
    if (standing.stored) {
        // To another tenant's bytes no link is given: we would not see whether they came.
        co_return protocol::UploadPlan{.state = standing.held ? "stored" : "here"};
    }
    auto ask = [&blobs = with_.blobs, expected, size] { return blobs.link_for(expected, size); };
    CO_TRY(auto link, co_await net::run_on(with_.blob_pool, std::move(ask)));
    if (!link) {
        co_return protocol::UploadPlan{.state = "here"};
    }
    // The store takes nothing but the bytes of this hash.
    CO_TRY_STATUS(co_await note_held(expected, size, std::move(tenant_id)));
    protocol::UploadPlan plan{.state = "link", .url = std::move(link->url)};
    for (auto& [name, value] : link->headers) {
        plan.headers.push_back({.name = std::move(name), .value = std::move(value)});
    }
    co_return plan;
}

net::Task<ArtifactFileRef> ArtifactService::blob(std::string digest, std::string download_name) {
    CO_TRY(const Sha256Digest wanted, digest_from(digest));
    auto look = [&blobs = with_.blobs, wanted, name = std::move(download_name)](
                ) -> Result<ArtifactFileRef> {
        TRY(auto way, blobs.way_to(wanted, name));
        return ArtifactFileRef{.way = std::move(way), .digest = wanted.prefixed()};
    };
    co_return co_await net::run_on(with_.blob_pool, std::move(look));
}

net::Task<Bytes> ArtifactService::blob_size(std::string digest) {
    CO_TRY(const Sha256Digest wanted, digest_from(digest));
    auto look = [&blobs = with_.blobs, wanted] { return blobs.size(wanted); };
    co_return co_await net::run_on(with_.blob_pool, std::move(look));
}

net::Task<protocol::ArtifactView> ArtifactService::add(
    protocol::ArtifactCreate wish, accounts::Principal principal
) {
    auto ask = [files = wish.files, tenant_id = principal.project_id](db::Tx& tx) {
        return check_held(tx, files, tenant_id);
    };
    CO_TRY_STATUS(co_await with_.backend.read(std::move(ask)));
    auto check = [&blobs = with_.blobs, files = wish.files] { return check_stored(blobs, files); };
    CO_TRY_STATUS(co_await net::run_on(with_.blob_pool, std::move(check)));
    const Upload upload{
        .artifact_id = wish.kind == "checkpoint" ? new_id<CheckpointId>(with_.ids)
                                                 : new_id<DatasetId>(with_.ids),
        .tenant_id = std::move(principal.project_id),
        .kind = std::move(wish.kind),
        .name = std::move(wish.name),
        .files = std::move(wish.files),
    };
    auto apply = [upload](db::Tx& tx) -> Result<protocol::ArtifactView> {
        // Once more: since we looked they may have been collected, and who held them forgotten.
        TRY_STATUS(check_held(tx, upload.files, upload.tenant_id));
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
    co_return co_await blob(found->digest, path.substr(path.rfind('/') + 1));
}

}  // namespace nexa::orchestration
