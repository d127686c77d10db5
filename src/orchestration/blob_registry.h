// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "db/tx.h"

namespace nexa::orchestration {

/// How old what no artifact names has to be to go.
struct BlobAges {
    std::chrono::microseconds unseen;  ///< since somebody uploaded or named it
    /// Since somebody began to remove it: a removal that takes longer has ended with its server.
    std::chrono::microseconds begun = std::chrono::minutes(10);
};

/// Of all tenants together.
struct BlobCounts {
    std::int64_t blobs = 0;
    std::int64_t bytes = 0;
    std::int64_t unused_blobs = 0;  ///< no artifact names them
    std::int64_t unused_bytes = 0;
    std::int64_t collectable_blobs = 0;  ///< and they are old enough to go
    std::int64_t collectable_bytes = 0;
};

/// Which blobs are kept, and for whom, as rows; the bytes lie in a storage::BlobVault. Digests are
/// "sha256:…". Every call is inside a transaction; all but holds(), list_unused() and count() in
/// the writer's.
///
/// A blob is seen before its bytes come or are looked for, so that nobody removes it meanwhile; it
/// is collected in three steps: begin_collecting(), the bytes, forget().
namespace blob_registry {

/// Errors: kUnavailable, if its bytes are being removed: try again in a moment.
Status see(db::Tx& tx, const std::string& digest, std::int64_t bytes);

/// The tenant has had the bytes.
Status hold(db::Tx& tx, const std::string& digest, const std::string& tenant_id);
Result<bool> holds(db::Tx& tx, const std::string& digest, const std::string& tenant_id);

/// One that lies in the vault and may have no row.
Status adopt(db::Tx& tx, const std::string& digest, std::int64_t bytes);

/// Up to `limit` that may be collected, the longest unseen first.
Result<std::vector<std::string>> list_unused(db::Tx& tx, const BlobAges& ages, int limit);
/// Its bytes, if it may still go and nobody else removes it: now the caller does.
Result<std::optional<std::int64_t>> begin_collecting(
    db::Tx& tx, const std::string& digest, const BlobAges& ages
);
/// The bytes are gone.
Status forget(db::Tx& tx, const std::string& digest);

Result<BlobCounts> count(db::Tx& tx, const BlobAges& ages);

}  // namespace blob_registry

}  // namespace nexa::orchestration
