// SPDX-License-Identifier: Apache-2.0
#include "worker/identity.h"

#include <utility>

#include "core/file.h"
#include "core/json.h"
#include "crypto/dsse.h"
#include "fleet/envelope.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLineBytesMax = 256;

/// The one line of a small file; empty if there is none.
Result<std::string> read_line(const fs::path& path) {
    auto text = read_file(path, kLineBytesMax);
    if (!text) {
        return text.error().code == ErrorCode::kNotFound ? Result<std::string>("")
                                                         : std::move(text);
    }
    while (text->ends_with('\n')) {
        text->pop_back();
    }
    return text;
}

fs::path id_file(const StoragePaths& paths) {
    return paths.worker_keys() / "worker_id";
}
fs::path pin_file(const StoragePaths& paths) {
    return paths.worker_keys() / "coordinator.pub";
}

}  // namespace

Result<Identity> Identity::open(const StoragePaths& paths, Random& random) {
    TRY(auto key,
        crypto::Ed25519PrivateKey::load_or_create(paths.worker_keys() / "worker.pem", random));
    Identity identity(paths, std::move(key));
    TRY(identity.worker_id_, read_line(id_file(paths)));
    TRY(identity.coordinator_key_, read_line(pin_file(paths)));
    if (!identity.coordinator_key_.empty()) {
        if (auto pinned = crypto::Ed25519PublicKey::from_base64(identity.coordinator_key_);
            !pinned) {
            return std::move(pinned).error().while_doing(
                fmt::format("read {}", pin_file(paths).native())
            );
        }
    }
    return identity;
}

protocol::Envelope Identity::registration(
    const std::string& name,
    const std::string& pool,
    const protocol::HardwareProfile& profile,
    Timestamp now
) const {
    protocol::WorkerRegistration registration{
        .public_key = key_.public_key().to_base64(),
        .name = name,
        .pool = pool,
        .profile = profile,
        .created_at = to_rfc3339(now),
    };
    if (!worker_id_.empty()) {
        registration.worker_id = worker_id_;
    }
    return fleet::to_message(
        crypto::sign_dsse(protocol::kRegisterPayloadType, to_json(registration), key_)
    );
}

Status Identity::accept(const protocol::RegisterReply& reply) {
    TRY_STATUS(crypto::Ed25519PublicKey::from_base64(reply.coordinator_key));
    TRY_STATUS(check_path_id(reply.worker_id));
    if (!coordinator_key_.empty() && coordinator_key_ != reply.coordinator_key) {
        return Error::permission_denied(
                   "the coordinator shows another key than the one this worker knows"
        )
            .hint(fmt::format(
                "if that is meant, remove {} and start again", pin_file(paths_).native()
            ));
    }
    if (!worker_id_.empty() && worker_id_ != reply.worker_id) {
        return Error::permission_denied(
                   "the server calls this worker {}, but it is {}", reply.worker_id, worker_id_
        )
            .hint(
                fmt::format("if that is meant, remove {} and start again", id_file(paths_).native())
            );
    }
    if (coordinator_key_.empty()) {
        TRY_STATUS(write_file_atomically(pin_file(paths_), reply.coordinator_key + "\n"));
        coordinator_key_ = reply.coordinator_key;
    }
    if (worker_id_.empty()) {
        TRY_STATUS(write_file_atomically(id_file(paths_), reply.worker_id + "\n"));
        worker_id_ = reply.worker_id;
    }
    return {};
}

protocol::Envelope Identity::sign(const protocol::JobResult& result) const {
    return fleet::to_message(
        crypto::sign_dsse(protocol::kJobResultPayloadType, to_json(result), key_)
    );
}

}  // namespace nexa::worker
