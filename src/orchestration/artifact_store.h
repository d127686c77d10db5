// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"
#include "protocol/artifact_views.h"

namespace nexa::orchestration {

/// An artifact as the registry knows it; its bytes are blobs, named in the manifest.
struct ArtifactRecord {
    std::int64_t sequence = 0;  ///< order of arrival; the cursor of a list
    std::string artifact_id;
    std::string tenant_id;
    std::string kind;  ///< dataset, distill, checkpoint, eval, deployment
    std::optional<std::string> job_id;
    std::string name;
    std::string root_digest;
    std::int64_t bytes = 0;
    JsonText manifest;
    Timestamp created_at;
};

struct ArtifactFilter {
    std::string tenant_id;
    std::optional<std::string> kind;
    std::optional<std::string> job_id;
    std::optional<std::int64_t> after;
    int limit = 20;
};

/// The registry as rows. Every call is inside a transaction; the writing ones in the writer's.
namespace artifact_store {

/// Its files are kept from now on. Errors: kConflict if the id is taken; those of
/// blob_registry::see().
Status add(db::Tx& tx, const ArtifactRecord& artifact);

/// Errors: kNotFound; also when it is another tenant's. `tenant_id` empty: any tenant's.
Result<ArtifactRecord> get(
    db::Tx& tx, const std::string& artifact_id, const std::optional<std::string>& tenant_id
);

/// As get(), for who makes something that needs it: until the transaction ends nobody deletes it.
/// Only in the writer's.
Result<ArtifactRecord> hold(
    db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id
);

/// From its commit on it is not there, though what was made from it still tells of it; its storage
/// costs nothing more. Errors: kNotFound; kConflict, which names what needs it: a job that has not
/// ended, or a deployment.
Status remove(db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id);

/// What an artifact was made from and what was made from it, up to 1,000 each way; also what was
/// deleted. Errors: kNotFound.
Result<protocol::ArtifactLineage> lineage(
    db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id
);

/// Newest first, up to filter.limit + 1 rows.
Result<std::vector<ArtifactRecord>> list(db::Tx& tx, const ArtifactFilter& filter);

}  // namespace artifact_store

}  // namespace nexa::orchestration
