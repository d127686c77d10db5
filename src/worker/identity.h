// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/storage_paths.h"
#include "crypto/ed25519.h"
#include "protocol/envelope.h"
#include "protocol/result_messages.h"
#include "protocol/worker_messages.h"

namespace nexa::worker {

/// Who this worker is, and whom it believes: its own key, its id, and the coordinator's key as
/// first seen. All three lie under paths.worker_keys() and stay. accept() is called before anybody
/// else reads; the rest is thread-safe.
class Identity {
public:
    /// Makes a key at the first start. Blocking. Errors: those of
    /// Ed25519PrivateKey::load_or_create; kMalformed (a file that is no id or key).
    static Result<Identity> open(const StoragePaths& paths, Random& random);

    /// The signed request to be taken in; valid for a few minutes around `now`.
    protocol::Envelope registration(
        const std::string& name,
        const std::string& pool,
        const protocol::HardwareProfile& profile,
        Timestamp now
    ) const;
    /// Takes the server's answer, and pins what it says the first time. Blocking. Errors:
    /// kPermissionDenied if the coordinator's key or our id is not the one we know; kMalformed;
    /// kUnavailable (disk full).
    Status accept(const protocol::RegisterReply& reply);

    const std::string& worker_id() const { return worker_id_; }  ///< empty before accept()
    const std::string& coordinator_key() const {
        return coordinator_key_;
    }  ///< base64; empty before accept()
    protocol::Envelope sign(const protocol::JobResult& result) const;

private:
    Identity(StoragePaths paths, crypto::Ed25519PrivateKey key)
        : paths_(std::move(paths)), key_(std::move(key)) {}

    StoragePaths paths_;
    crypto::Ed25519PrivateKey key_;
    std::string worker_id_;
    std::string coordinator_key_;
};

}  // namespace nexa::worker
