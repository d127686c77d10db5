// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_counters.h"

#include <optional>

namespace nexa::orchestration {

namespace {

std::optional<protocol::JobStatus> final_status(std::string_view state) {
    if (state == "done") {
        return protocol::JobStatus::kCompleted;
    }
    if (state == "dead") {
        return protocol::JobStatus::kFailed;
    }
    if (state == "cancelled") {
        return protocol::JobStatus::kCancelled;
    }
    return std::nullopt;
}

}  // namespace

void JobCounters::submitted(const std::string& job_type) const {
    registry_
        .counter({"nexa_jobs_submitted_total", "Jobs taken in, by type."}, {{"job_type", job_type}})
        .add();
}

void JobCounters::granted(const std::string& job_type) const {
    registry_
        .counter(
            {"nexa_leases_granted_total", "Attempts given to workers, by job type."},
            {{"job_type", job_type}}
        )
        .add();
}

void JobCounters::finished(const std::string& job_type, protocol::JobStatus status) const {
    registry_
        .counter(
            {"nexa_jobs_finished_total", "Jobs that will not run again, by type and status."},
            {{"job_type", job_type}, {"status", std::string(to_string(status))}}
        )
        .add();
}

void JobCounters::ended(const EndedLease& lease) const {
    count_final_state(lease);
}

void JobCounters::lost(const EndedLease& lease) const {
    registry_
        .counter(
            {"nexa_leases_lost_total", "Attempts whose worker went silent, by job type."},
            {{"job_type", lease.job_type}}
        )
        .add();
    count_final_state(lease);
}

void JobCounters::refused(ErrorCode code) const {
    registry_
        .counter(
            {"nexa_results_refused_total", "Workers' results that were not taken, by error code."},
            {{"code", std::string(to_string(code))}}
        )
        .add();
}

void JobCounters::count_final_state(const EndedLease& lease) const {
    if (const auto status = final_status(lease.state)) {
        finished(lease.job_type, *status);
    }
}

}  // namespace nexa::orchestration
