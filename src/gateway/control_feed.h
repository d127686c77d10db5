// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "core/random.h"
#include "core/secrets.h"
#include "core/sha256.h"
#include "crypto/ed25519.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "protocol/gateway_feed.h"

namespace nexa::gateway {

struct ControlFeedSettings {
    std::string server_url;         ///< without a path: "https://forge.example:8000"
    Secret api_key;                 ///< with the scopes gateway:read and gateway:write
    std::string region = "local";   ///< the pool this gateway is of
    std::string gateway_id;         ///< kept over restarts
    std::filesystem::path folder;   ///< exists; holds the snapshot and the control plane's key
    std::chrono::seconds wait{30};  ///< of one long poll
    std::chrono::milliseconds report_every{15'000};
};

/// Follows the control plane: what to serve, to whom, and telling how that goes. The control plane
/// is asked, it never calls; while it is away, what it said last holds. One feed for each gateway.
///
/// The control plane's key is pinned at the first contact; a snapshot that it did not sign is not
/// taken, also not from our own disk. A lower serial is: the control plane may have been restored
/// from a backup.
class ControlFeed {
public:
    struct Collaborators {
        net::HttpClient& http;
        net::WorkPool& disk;
        Random& random;
        const Clock& clock;
        /// Takes a new snapshot. Errors: what is wrong with it; the old one stays in force.
        std::function<Status(const protocol::GatewaySnapshot&)> apply;
        /// How the deployments stand now.
        std::function<std::vector<protocol::GatewayDeploymentState>()> states;
    };
    ControlFeed(Collaborators with, ControlFeedSettings settings);

    /// Applies the snapshot on the disk, if there is a sound one. Blocks.
    void restore();
    /// Follows snapshots, for as long as it is not cancelled.
    net::Task<void> follow();
    /// Reports at every changed() and now and then, for as long as it is not cancelled.
    /// `public_url`: where clients reach this gateway.
    net::Task<void> report(std::string public_url);
    /// A deployment stands otherwise than before. Thread-safe.
    void changed() { signal_.notify(std::string(kChanged)); }

    /// Tells what answers used, at most GatewayUsage::kLinesMax. All of it is taken, or it is an
    /// error.
    net::Task<void> send_usage(std::vector<protocol::GatewayUsageLine> lines);

    /// A model's file as the control plane sends it; nobody has checked it.
    net::Task<net::HttpStream> open_blob(Sha256Digest digest);
    /// Some snapshot is in force.
    bool knows_models() const { return serial_ != 0; }

private:
    static constexpr std::string_view kChanged = "changed";

    net::HttpRequest request(net::Method method, std::string_view path) const;
    net::Task<void> follow_once();
    net::Task<void> pin_key();
    net::Task<void> report_once(std::string public_url);
    Result<protocol::GatewaySnapshot> verified(std::string_view envelope) const;
    Status take(std::string_view envelope);

    const Collaborators with_;
    const ControlFeedSettings settings_;
    std::optional<crypto::Ed25519PublicKey> key_;
    std::atomic<std::int64_t> serial_ = 0;  ///< of the snapshot in force; 0: none
    net::Signal signal_;
    Logger log_ = get_logger("gateway.feed");
};

/// This gateway's id, made at the first start and kept in `folder`. Blocks. Errors: kMalformed,
/// kUnavailable.
Result<std::string> gateway_id_in(const std::filesystem::path& folder, Random& random);

}  // namespace nexa::gateway
