// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "worker/control_client.h"
#include "worker/held_job.h"
#include "worker/outbox.h"

namespace nexa::worker {

/// Brings signed results to the server, for as long as it takes. Thread-safe.
class ResultSender {
public:
    struct Collaborators {
        ControlClient& client;
        const Outbox& outbox;
        const HeldJobs& jobs;
        net::WorkPool& disk;
        net::Signal& signal;
        const Clock& clock;
        Random& random;
    };
    explicit ResultSender(Collaborators with) : with_(with) {}

    /// Keeps `result` in the outbox and sends it until the server answers; then it leaves the
    /// outbox. A lease that is lost meanwhile ends the sending: one that the server took back is
    /// forgotten, one that only ran out stays in the outbox. Errors: kCancelled in both cases;
    /// kUnavailable (it cannot be kept).
    net::Task<protocol::CompleteOutcome> deliver(
        std::shared_ptr<HeldJob> job, protocol::Envelope result
    );

    /// Sends what earlier runs and ended leases have left in the outbox. Runs until cancelled.
    net::Task<void> send_leftovers();

private:
    net::Task<protocol::CompleteOutcome> send_once(std::string lease, protocol::Envelope result);
    net::Task<void> send_all_leftovers();
    net::Task<void> drop_damaged(std::string lease, ErrorCode why);

    Collaborators with_;
};

}  // namespace nexa::worker
