// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "billing/rate_card.h"
#include "core/log.h"
#include "crypto/ed25519.h"
#include "net/signal.h"
#include "net/task.h"
#include "orchestration/activations.h"
#include "orchestration/backend.h"
#include "orchestration/job_counters.h"
#include "orchestration/job_store.h"
#include "orchestration/workflow_driver.h"
#include "protocol/envelope.h"
#include "protocol/gateway_feed.h"

namespace nexa::orchestration {

struct GatewayFeedOptions {
    ActivationOptions activation;
    /// A waiting gateway looks at the serial this often: no more than that, and the answer's way,
    /// passes until a revoked key is gone from it, whichever coordinator revoked it.
    std::chrono::milliseconds poll{250};
    std::chrono::milliseconds overdue_poll = std::chrono::seconds{1};
};

/// What a gateway asks for.
struct SnapshotWish {
    std::string region;
    std::int64_t serial = 0;  ///< of the one it has; 0: none
    std::chrono::nanoseconds wait{0};
};

/// What gateways ask of the control plane: what to serve, to whom, and to be heard when they do.
/// Thread-safe; collaborators outlive it.
class GatewayFeed {
public:
    struct Collaborators {
        Backend backend;
        const crypto::Ed25519PrivateKey& key;  ///< the coordinator's: signs snapshots
        net::Signal& event_signal;             ///< by job id: it has news
        const billing::RateCard& rate_card;
        const JobCounters& counters;
        const WorkflowDriver& workflows;
    };
    GatewayFeed(Collaborators with, GatewayFeedOptions options)
        : with_(with), activations_(options.activation), options_(options) {}

    /// A signed GatewaySnapshot, as soon as its serial is another than the wish's, or after the
    /// wait.
    net::Task<protocol::Envelope> snapshot(SnapshotWish wish);

    /// Takes in how deployments stand; jobs that waited for that end. Errors: kInvalidArgument (the
    /// URL).
    net::Task<protocol::GatewayReportReply> report(protocol::GatewayReport report);

    /// Writes what answers used; a line that is there already counts once. Errors: kInvalidArgument
    /// (a line of it: then none is taken).
    net::Task<protocol::GatewayUsageReply> record_usage(protocol::GatewayUsage usage);

    /// Ends the jobs that no gateway takes up in time, which begins anew with a start. A database
    /// that takes no writes is waited for. Runs until cancelled.
    net::Task<void> watch_activations();

    /// Ed25519, base64: what snapshots are verified with.
    std::string public_key() const { return with_.key.public_key().to_base64(); }

private:
    net::Task<void> prolong_all();
    void tell_of_ended(const std::vector<Job>& ended) const;

    Collaborators with_;
    Activations activations_;
    GatewayFeedOptions options_;
    Logger log_ = get_logger("orchestration.gateways");
};

}  // namespace nexa::orchestration
