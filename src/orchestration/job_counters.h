// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/metrics.h"
#include "core/result.h"
#include "orchestration/leases.h"
#include "protocol/job_status.h"

namespace nexa::orchestration {

/// Counts what happens to jobs and leases while the program runs. To be told after the commit, so
/// that what was rolled back or tried again counts once. Thread-safe; `registry` outlives it.
class JobCounters {
public:
    explicit JobCounters(MetricRegistry& registry) : registry_(registry) {}

    void submitted(const std::string& job_type) const;
    void granted(const std::string& job_type) const;
    /// `job` will not run again.
    void finished(const std::string& job_type, protocol::JobStatus status) const;
    /// A worker said how its attempt ended.
    void ended(const EndedLease& lease) const;
    /// A lease ran out.
    void lost(const EndedLease& lease) const;
    /// A worker's result was not taken.
    void refused(ErrorCode code) const;

private:
    void count_final_state(const EndedLease& lease) const;

    MetricRegistry& registry_;
};

}  // namespace nexa::orchestration
