// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/secrets.h"
#include "core/storage_paths.h"
#include "settings.h"
#include "storage/blob_store.h"
#include "storage/blob_uploads.h"
#include "storage/blob_vault.h"
#include "storage/storage.h"

namespace nexa::nexad {

/// The vault that the settings name, with what it stands on.
class BlobPlace {
public:
    /// Collaborators outlive it. A bucket is asked for its first object, so that a wrong key or
    /// name shows now and not at the first job. Blocks. Errors: kInvalidArgument (storage.url),
    /// kNotFound (no credentials), kPermissionDenied, kUnavailable.
    static Result<std::unique_ptr<BlobPlace>> open(
        const Settings& settings,
        const StoragePaths& paths,
        const SecretManager& secrets,
        const Clock& clock,
        Random& random
    );

    storage::BlobVault& vault() { return *vault_; }
    /// How many calls may wait for it at once: a store far away takes its time.
    std::size_t threads() const { return bucket_ != nullptr ? 16 : 4; }
    /// Ends pauses between attempts.
    void stop() { stopping_.cancel(); }

private:
    BlobPlace() = default;

    CancelSource stopping_;
    SystemSleeper sleeper_{stopping_.token()};
    std::unique_ptr<storage::BlobStore> blobs_;
    std::unique_ptr<storage::BlobUploads> uploads_;
    std::unique_ptr<storage::Storage> bucket_;
    std::unique_ptr<storage::BlobVault> vault_;
};

}  // namespace nexa::nexad
