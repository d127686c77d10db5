// SPDX-License-Identifier: Apache-2.0
#include "orchestration/blob_registry.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration::blob_registry {

Status see(db::Tx& tx, const std::string& digest, std::int64_t bytes) {
    TRY(const auto row, tx.query_one(sql::kSeeBlob, {{"digest", digest}, {"bytes", bytes}}));
    if (!row) {
        return Error::unavailable("old bytes of {} are being removed at this moment", digest)
            .at("digest")
            .hint("try again in a few seconds");
    }
    return {};
}

Status hold(db::Tx& tx, const std::string& digest, const std::string& tenant_id) {
    TRY_STATUS(tx.execute(sql::kHoldBlob, {{"digest", digest}, {"tenant_id", tenant_id}}));
    return {};
}

Result<bool> holds(db::Tx& tx, const std::string& digest, const std::string& tenant_id) {
    TRY(const auto row,
        tx.query_one(sql::kFindBlobHolder, {{"digest", digest}, {"tenant_id", tenant_id}}));
    return row.has_value();
}

Status adopt(db::Tx& tx, const std::string& digest, std::int64_t bytes) {
    TRY_STATUS(tx.execute(sql::kAdoptBlob, {{"digest", digest}, {"bytes", bytes}}));
    return {};
}

Result<std::vector<std::string>> list_unused(db::Tx& tx, const BlobAges& ages, int limit) {
    TRY(const auto rows,
        tx.query(
            sql::kListUnusedBlobs,
            {
                {"unseen_since", tx.now() - ages.unseen},
                {"begun_before", tx.now() - ages.begun},
                {"limit", limit},
            }
        ));
    std::vector<std::string> digests;
    digests.reserve(rows.size());
    for (const db::Row& row : rows) {
        digests.push_back(row.text("digest"));
    }
    return digests;
}

Result<std::optional<std::int64_t>> begin_collecting(
    db::Tx& tx, const std::string& digest, const BlobAges& ages
) {
    TRY(const auto row,
        tx.query_one(
            sql::kBeginCollecting,
            {
                {"digest", digest},
                {"unseen_since", tx.now() - ages.unseen},
                {"begun_before", tx.now() - ages.begun},
            }
        ));
    return row ? std::optional(row->int64("bytes")) : std::nullopt;
}

Status forget(db::Tx& tx, const std::string& digest) {
    TRY_STATUS(tx.execute(sql::kForgetBlobHolders, {{"digest", digest}}));
    TRY_STATUS(tx.execute(sql::kForgetBlob, {{"digest", digest}}));
    return {};
}

Result<BlobCounts> count(db::Tx& tx, const BlobAges& ages) {
    TRY(const auto row, tx.query_one(sql::kCountBlobs, {{"unseen_since", tx.now() - ages.unseen}}));
    return BlobCounts{
        .blobs = row->int64("blobs"),
        .bytes = row->int64("bytes"),
        .unused_blobs = row->int64("unused_blobs"),
        .unused_bytes = row->int64("unused_bytes"),
        .collectable_blobs = row->int64("collectable_blobs"),
        .collectable_bytes = row->int64("collectable_bytes"),
    };
}

}  // namespace nexa::orchestration::blob_registry
