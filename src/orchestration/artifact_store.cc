// SPDX-License-Identifier: Apache-2.0
#include "orchestration/artifact_store.h"

#include <fmt/ranges.h>

#include "billing/usage_store.h"
#include "orchestration/artifact_manifest.h"
#include "orchestration/blob_registry.h"
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

constexpr int kKinMax = 1'000;
constexpr int kDistanceMax = 100;

Error not_there(const std::string& artifact_id) {
    return Error::not_found("there is no artifact {}", artifact_id).at("artifact_id");
}

Error still_needed(const std::string& artifact_id, const std::vector<db::Row>& users) {
    std::vector<std::string> ids;
    for (const db::Row& row : users) {
        ids.push_back(row.text("id"));
    }
    return Error::conflict("{} is needed by {}", artifact_id, fmt::join(ids, ", "))
        .at("artifact_id")
        .hint("cancel or await the jobs, `nexa undeploy` the deployments, and delete it then");
}

Result<std::vector<protocol::ArtifactKin>> kin_of(
    db::Tx& tx,
    const db::Sql& statement,
    const std::string& artifact_id,
    const std::string& tenant_id
) {
    TRY(const auto rows,
        tx.query(
            statement,
            {
                {"artifact_id", artifact_id},
                {"tenant_id", tenant_id},
                {"depth_max", kDistanceMax},
                {"limit", kKinMax},
            }
        ));
    std::vector<protocol::ArtifactKin> kin;
    kin.reserve(rows.size());
    for (const db::Row& row : rows) {
        kin.push_back({
            .artifact_id = row.text("id"),
            .kind = row.text("kind"),
            .name = row.text("name"),
            .root_digest = row.text("root_digest"),
            .job_id = row.optional_text("job_id"),
            .job_type = row.optional_text("job_type"),
            .distance = static_cast<int>(row.int64("depth")),
            .deleted = row.int64("deleted") != 0,
        });
    }
    return kin;
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
    TRY(const auto files, files_of(artifact.manifest));
    for (const protocol::InputFile& file : files) {
        TRY_STATUS(blob_registry::see(tx, file.digest, file.size));
        TRY_STATUS(blob_registry::hold(tx, file.digest, artifact.tenant_id));
        TRY_STATUS(tx.execute(
            sql::kAddArtifactFile, {{"artifact_id", artifact.artifact_id}, {"digest", file.digest}}
        ));
    }
    return {};
}

Result<ArtifactRecord> get(
    db::Tx& tx, const std::string& artifact_id, const std::optional<std::string>& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kGetArtifact, {{"artifact_id", artifact_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return not_there(artifact_id);
    }
    return artifact_from(*row);
}

Result<ArtifactRecord> hold(
    db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id
) {
    TRY(const auto row,
        tx.query_one(sql::kHoldArtifact, {{"artifact_id", artifact_id}, {"tenant_id", tenant_id}}));
    if (!row) {
        return not_there(artifact_id);
    }
    return artifact_from(*row);
}

Status remove(db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id) {
    const std::initializer_list<db::Param> which{
        {"artifact_id", artifact_id},
        {"tenant_id", tenant_id},
    };
    TRY_STATUS(tx.query(sql::kLockArtifact, which));
    TRY(const auto deleted, tx.query_one(sql::kDeleteArtifact, which));
    if (!deleted) {
        TRY_STATUS(get(tx, artifact_id, tenant_id));
        TRY(const auto users, tx.query(sql::kUsersOfArtifact, {{"artifact_id", artifact_id}}));
        return still_needed(artifact_id, users);
    }
    TRY_STATUS(tx.execute(sql::kForgetArtifactFiles, {{"artifact_id", artifact_id}}));
    const auto job_id = deleted->optional_text("job_id");
    if (!job_id) {
        return {};  // an upload
    }
    TRY(const auto left, tx.query_one(sql::kCountArtifactsOfJob, {{"job_id", *job_id}}));
    return left->int64("count") > 0
               ? Status()
               : billing::usage_store::end_accrual(tx, *job_id, billing::kStoredBytes);
}

Result<protocol::ArtifactLineage> lineage(
    db::Tx& tx, const std::string& artifact_id, const std::string& tenant_id
) {
    TRY_STATUS(get(tx, artifact_id, tenant_id));
    protocol::ArtifactLineage lineage{.artifact_id = artifact_id};
    TRY(lineage.ancestors, kin_of(tx, sql::kListAncestors, artifact_id, tenant_id));
    TRY(lineage.descendants, kin_of(tx, sql::kListDescendants, artifact_id, tenant_id));
    return lineage;
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
