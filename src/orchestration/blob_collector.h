// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "net/pools.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/blob_registry.h"
#include "protocol/storage_views.h"
#include "storage/blob_vault.h"

namespace nexa::orchestration {

struct CollectorOptions {
    BlobAges ages{.unseen = std::chrono::hours(24)};
    std::chrono::milliseconds first_after = std::chrono::hours(1);  ///< the start: results wait
    std::chrono::milliseconds every = std::chrono::minutes(10);
};

/// Removes the bytes of blobs that no artifact names. Several servers may do so at the same time.
/// Thread-safe; collaborators outlive it.
class BlobCollector {
public:
    struct Collaborators {
        Backend backend;
        storage::BlobVault& blobs;
        net::WorkPool& blob_pool;  ///< waits for the blobs' disk or store
    };
    BlobCollector(Collaborators with, CollectorOptions options) : with_(with), options_(options) {}

    net::Task<protocol::StorageView> look();
    /// Removes what may go now. Errors: those of the database and the store; what was removed until
    /// then is.
    net::Task<protocol::CollectedView> collect();
    /// Collects now and then, and takes in what lies in the vault without a row: outputs of workers
    /// that vanished. Never ends by itself.
    net::Task<void> watch();

private:
    net::Task<std::optional<std::int64_t>> collect_one(std::string digest);
    net::Task<void> adopt_strays();

    Collaborators with_;
    CollectorOptions options_;
};

}  // namespace nexa::orchestration
