// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/clock.h"
#include "core/ids.h"
#include "net/http_types.h"
#include "net/task.h"
#include "orchestration/artifact_store.h"
#include "orchestration/backend.h"
#include "protocol/artifact_views.h"
#include "protocol/upload_plan.h"
#include "storage/blob_vault.h"

namespace nexa::orchestration {

struct ArtifactPage {
    std::vector<protocol::ArtifactView> artifacts;
    std::optional<std::string> next_cursor;
};

/// A blob, to be sent.
struct ArtifactFileRef {
    storage::BlobWay way;
    std::string digest;
};

/// Bytes in, artifacts out: uploads under their hashes, the registry, files by path. Thread-safe;
/// collaborators outlive it.
class ArtifactService {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        const Clock& clock;
        storage::BlobVault& blobs;
        net::WorkPool& blob_pool;  ///< waits for the blobs' disk or store
    };
    explicit ArtifactService(Collaborators with) : with_(with) {}

    /// Stores what comes from `body` if its hash is `digest`. The body is not read if the tenant
    /// has uploaded the same bytes before; a worker, which has no tenant, is told at once of what
    /// is there. Errors: kInvalidArgument (digest), kDataLoss (other bytes), kResourceExhausted,
    /// kUnavailable (disk full).
    net::Task<storage::BlobInfo> upload(
        std::string digest,
        std::optional<std::string> tenant_id,
        std::shared_ptr<net::BodySource> body
    );
    /// Where its bytes are to go: past us, if the store takes them itself. Nobody learns from the
    /// answer what other tenants have. Errors: kInvalidArgument, kUnavailable.
    net::Task<protocol::UploadPlan> plan_upload(
        std::string digest, std::optional<std::string> tenant_id, protocol::UploadWish wish
    );
    /// Where a blob lies. `download_name` may be empty. Errors: kNotFound.
    net::Task<ArtifactFileRef> blob(std::string digest, std::string download_name);
    net::Task<Bytes> blob_size(std::string digest);

    /// Registers files that the tenant uploaded, or its jobs made, as an artifact. Errors:
    /// kNotFound (another file), kInvalidArgument.
    net::Task<protocol::ArtifactView> add(
        protocol::ArtifactCreate wish, accounts::Principal principal
    );
    net::Task<protocol::ArtifactView> get(std::string artifact_id, accounts::Principal principal);
    net::Task<std::string> manifest(std::string artifact_id, accounts::Principal principal);
    net::Task<ArtifactPage> list(ArtifactFilter filter);
    /// As artifact_store::lineage().
    net::Task<protocol::ArtifactLineage> lineage(
        std::string artifact_id, accounts::Principal principal
    );
    /// As artifact_store::remove().
    net::Task<void> remove(std::string artifact_id, accounts::Principal principal);
    /// Errors: kNotFound (artifact, or a file that it does not have).
    net::Task<ArtifactFileRef> file(
        std::string artifact_id, std::string path, accounts::Principal principal
    );

private:
    struct Standing {
        std::optional<Bytes> stored;  ///< empty: its bytes are not there
        bool held = false;            ///< by the tenant, or asked for by a worker
    };
    /// Of a blob that is about to be uploaded: from here on nobody removes it for a while.
    net::Task<Standing> look_at(
        Sha256Digest digest, Bytes size, std::optional<std::string> tenant_id
    );
    /// The tenant has the bytes.
    net::Task<void> note_held(
        Sha256Digest digest, Bytes size, std::optional<std::string> tenant_id
    );

    Collaborators with_;
};

}  // namespace nexa::orchestration
