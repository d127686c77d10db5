// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/clock.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "worker/control_client.h"
#include "worker/held_job.h"

namespace nexa::worker {

/// Renews the leases of all held jobs with one call, bringing their events and logs along, hands on
/// what the server wants of them, and fences those whose renewals do not come through.
class Reporter {
public:
    struct Collaborators {
        ControlClient& client;
        const HeldJobs& jobs;
        net::WorkPool& disk;
        net::Signal& signal;
        const Clock& clock;
    };
    Reporter(Collaborators with, const std::string& worker_id)
        : with_(with), worker_id_(worker_id) {}

    /// Runs until cancelled. One at a time.
    net::Task<void> run();

private:
    using Jobs = std::vector<std::shared_ptr<HeldJob>>;
    using Parts = std::vector<HeldJob::Pending>;

    Jobs live_jobs() const;
    net::Task<void> report(Jobs jobs);
    void take_answer(
        const Jobs& jobs,
        const Parts& parts,
        const protocol::ReportReply& reply,
        SteadyTime asked_at
    );
    void take_failure(const Jobs& jobs, const Parts& parts, const Error& error);

    Collaborators with_;
    const std::string worker_id_;
    ReportPace pace_;
};

}  // namespace nexa::worker
