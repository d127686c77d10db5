// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_counters.h"

#include <map>

#include <gtest/gtest.h>

#include "orchestration/series_test_internal.h"

namespace nexa::orchestration {
namespace {

EndedLease lease_in(std::string state) {
    return {
        .job_id = JobId::parse("job_1").value(), .job_type = "train", .state = std::move(state)
    };
}

TEST(JobCounters, OnlyAStateThatIsTheLastCountsAsFinished) {
    MetricRegistry registry;
    const JobCounters counters(registry);
    for (const char* state : {"done", "done", "dead", "cancelled", "ready", "scheduled"}) {
        counters.ended(lease_in(state));
    }
    const std::map<std::string, double> expected{
        {"train cancelled", 1}, {"train completed", 2}, {"train failed", 1}
    };
    EXPECT_EQ(series_of(registry, "nexa_jobs_finished_total"), expected);
}

TEST(JobCounters, ALostLeaseIsCountedAndItsJobOnlyIfItIsOver) {
    MetricRegistry registry;
    const JobCounters counters(registry);
    counters.lost(lease_in("ready"));
    counters.lost(lease_in("dead"));
    EXPECT_EQ(series_of(registry, "nexa_leases_lost_total").at("train"), 2);
    EXPECT_EQ(series_of(registry, "nexa_jobs_finished_total").at("train failed"), 1);
}

TEST(JobCounters, SubmissionsGrantsAndRefusalsHaveTheirOwn) {
    MetricRegistry registry;
    const JobCounters counters(registry);
    counters.submitted("audit");
    counters.granted("audit");
    counters.granted("audit");
    counters.refused(ErrorCode::kConflict);
    EXPECT_EQ(series_of(registry, "nexa_jobs_submitted_total").at("audit"), 1);
    EXPECT_EQ(series_of(registry, "nexa_leases_granted_total").at("audit"), 2);
    EXPECT_EQ(series_of(registry, "nexa_results_refused_total").at("conflict"), 1);
}

}  // namespace
}  // namespace nexa::orchestration
