// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "core/ids.h"
#include "net/signal.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/job_counters.h"
#include "orchestration/job_store.h"
#include "orchestration/workflow_driver.h"
#include "protocol/job_views.h"

namespace nexa::orchestration {

/// A submission as it came over the border.
struct JobSubmission {
    std::string job_type;
    std::string body;  ///< the spec's fields plain, or {"payload": {…}, "name": …, "priority": …}
    accounts::Principal principal;
    std::optional<std::string> idempotency_key;
    std::optional<std::string> trace_id;
};

/// One page of a list.
struct JobPage {
    std::vector<protocol::JobView> jobs;
    bool has_more = false;
};

/// What users do with jobs. Thread-safe; collaborators outlive it.
class JobService {
public:
    struct Collaborators {
        Backend backend;
        IdSource& ids;
        net::Signal& pool_signal;   ///< by pool: a job can be claimed
        net::Signal& event_signal;  ///< by job id: it has news
        const JobCounters& counters;
        const WorkflowDriver& workflows;
    };
    /// `regions` can be deployed to whether or not a gateway of theirs was ever heard of.
    explicit JobService(Collaborators with, std::vector<std::string> regions = {})
        : with_(with), regions_(std::move(regions)) {}

    /// Checks the spec, finds its inputs and stores the job; committed when it returns. The same
    /// idempotency key with the same request gives the job it made before. Errors: kNotFound (job
    /// type, dataset, checkpoint), kMalformed, kInvalidArgument with the field, kConflict (the name
    /// of a deployment is taken), kResourceExhausted at "budget" (it is spent and stops new jobs).
    net::Task<protocol::JobView> submit(JobSubmission submission);

    /// Errors: kNotFound, also for another project's job.
    net::Task<protocol::JobView> get(JobId job_id, accounts::Principal principal);
    net::Task<JobPage> list(JobFilter filter);
    net::Task<protocol::JobView> cancel(JobId job_id, accounts::Principal principal);
    net::Task<std::vector<JobEvent>> events(JobId job_id, std::int64_t after, int limit);

    net::Signal& event_signal() { return with_.event_signal; }

private:
    Collaborators with_;
    std::vector<std::string> regions_;
};

}  // namespace nexa::orchestration
