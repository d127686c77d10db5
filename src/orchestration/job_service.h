// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/key_store.h"
#include "billing/rate_card.h"
#include "core/ids.h"
#include "net/signal.h"
#include "net/task.h"
#include "orchestration/backend.h"
#include "orchestration/job_counters.h"
#include "orchestration/job_store.h"
#include "orchestration/workflow_driver.h"
#include "protocol/job_estimate.h"
#include "protocol/job_live_views.h"
#include "protocol/job_types.h"
#include "protocol/job_views.h"
#include "protocol/submission.h"

namespace nexa::orchestration {

/// A submission as it came over the border.
struct JobSubmission {
    std::string job_type;
    std::string body;  ///< the spec's fields plain, or {"payload": {…}, "name": …, "priority": …}
    accounts::Principal principal;
    std::optional<std::string> idempotency_key;
    std::optional<std::string> trace_id;
};

/// A job that exists, to be made once more. Its body, if any, changes what the new one is.
struct JobRepetition {
    JobId job_id;
    std::string changes;
    accounts::Principal principal;
    std::optional<std::string> idempotency_key;
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
        const billing::RateCard& rate_card;
    };
    /// `regions` can be deployed to whether or not a gateway of theirs was ever heard of.
    explicit JobService(Collaborators with, std::vector<std::string> regions = {})
        : with_(with), regions_(std::move(regions)) {}

    /// Checks the spec, finds its inputs and stores the job; committed when it returns. The same
    /// idempotency key with the same request gives the job it made before. Errors: kNotFound (job
    /// type, dataset, checkpoint), kMalformed, kInvalidArgument with the field, kConflict (the name
    /// of a deployment is taken), kResourceExhausted at "budget" (it is spent and stops new jobs).
    net::Task<protocol::JobView> submit(JobSubmission submission);

    /// What submit() would make of it, how long similar jobs took and cost, and what it would wait
    /// for. Stores nothing. Errors: those of submit().
    net::Task<protocol::JobEstimate> estimate(JobSubmission submission);

    /// A failed or cancelled job once more, as a new job with the same spec that names it as
    /// `retry_of`: what has ended stays as it is, also on the bill. Takes no changes.
    /// Errors: kConflict if it has not ended or has completed; those of submit().
    net::Task<protocol::JobView> retry(JobRepetition repetition);
    /// Any job once more, with changes. Errors: those of submit(), with the field.
    net::Task<protocol::JobView> clone(JobRepetition repetition);

    /// Errors: kNotFound, also for another project's job.
    net::Task<protocol::JobView> get(JobId job_id, accounts::Principal principal);
    net::Task<JobPage> list(JobFilter filter);
    net::Task<protocol::JobView> cancel(JobId job_id, accounts::Principal principal);
    net::Task<std::vector<JobEvent>> events(JobId job_id, std::int64_t after, int limit);

    /// The numbers that a job's engine told, thinned to `points_max` (3 or more) of each. Reads at
    /// most 200,000 events. Errors: kNotFound.
    net::Task<protocol::JobMetrics> metrics(
        JobId job_id, std::size_t points_max, accounts::Principal principal
    );

    net::Signal& event_signal() { return with_.event_signal; }

private:
    /// A submission that was read: what is asked, and by whom.
    struct Checked {
        const protocol::JobTypeRow* type = nullptr;
        protocol::Submission submission;
        std::optional<std::string> retry_of;
    };
    net::Task<protocol::JobView> store(JobSubmission from, Checked checked);

    Collaborators with_;
    std::vector<std::string> regions_;
};

}  // namespace nexa::orchestration
