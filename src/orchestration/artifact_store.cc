// SPDX-License-Identifier: Apache-2.0
#include "orchestration/artifact_store.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration::artifact_store {

namespace {

ArtifactRecord artifact_from(const db::Row& row) {
    return {
        .sequence = row.int64("sequence"),
        .artifact_id = row.text("id"),
        .tenant_id = row.text("tenant_id"),
        .kind = row.text("kind"),
        .job_id = row.optional_text("job_id"),
        .name = row.text("name"),
        .root_digest = row.text("root_digest"),
        .bytes = row.int64("bytes"),
        .manifest = {row.text("manifest")},
        .created_at = row.timestamp("created_at"),
    };
}

}  // namespace

Status add(db::Tx& tx, const ArtifactRecord& artifact) {
    TRY_STATUS(tx.execute(
        sql::kAddArtifact,
        {
            {"artifact_id", artifact.artifact_id},
            {"tenant_id", artifact.tenant_id},
            {"kind", artifact.kind},
            {"job_id", artifact.job_id},
            {"name", artifact.name},
            {"root_digest", artifact.root_digest},
            {"bytes", artifact.bytes},
            {"manifest", artifact.manifest.text},
        }
    ));
    return {};
}

Result<ArtifactRecord> get(
    db::Tx& tx, const std::string& artifact_id, const std::optional<std::string>& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetArtifact, {{"artifact_id", artifact_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return Error::not_found("there is no artifact {}", artifact_id).at("artifact_id");
    }
    return artifact_from(*row);
}

Result<std::vector<ArtifactRecord>> list(db::Tx& tx, const ArtifactFilter& filter) {
    TRY(const auto rows,
        tx.query(
            sql::kListArtifacts,
            {
                {"tenant_id", filter.tenant_id},
                {"kind", filter.kind},
                {"job_id", filter.job_id},
                {"after", filter.after},
                {"limit", filter.limit + 1},
            }
        ));
    std::vector<ArtifactRecord> artifacts;
    artifacts.reserve(rows.size());
    for (const db::Row& row : rows) {
        artifacts.push_back(artifact_from(row));
    }
    return artifacts;
}

}  // namespace nexa::orchestration::artifact_store
