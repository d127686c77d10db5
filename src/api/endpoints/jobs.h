// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/live_streams.h"
#include "core/clock.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "orchestration/job_logs.h"
#include "orchestration/job_service.h"
#include "protocol/job_views.h"

namespace nexa::api {

/// /api/jobs and the older API's twins: submit, read, list, cancel, follow.
class JobEndpoints {
public:
    struct Collaborators {
        orchestration::JobService& jobs;
        const orchestration::JobLogs& logs;
        net::WorkPool& pool;
        const Clock& clock;
        LiveStreams& streams;
    };
    explicit JobEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    /// To a submission, however it was made: 202, or 402 if a budget is spent.
    net::Response answer_to(const Result<protocol::JobView>& stored) const;
    net::Task<net::Response> submit(net::Request request);
    net::Task<net::Response> estimate(net::Request request);
    net::Task<net::Response> retry(net::Request request);
    net::Task<net::Response> clone(net::Request request);
    net::Task<protocol::JobView> get(net::Call call);
    net::Task<protocol::JobList> list(net::Call call);
    net::Task<protocol::JobView> cancel(net::Call call);
    net::Task<protocol::JobStatusView> status(net::Call call);
    net::Task<net::Response> events(net::Request request);
    net::Task<net::Response> logs(net::Request request);
    net::Task<protocol::LogSearchView> search_logs(net::Call call);
    net::Task<protocol::JobMetrics> metrics(net::Call call);
    net::Task<net::Response> follow_logs(net::Request request);

    std::vector<net::Route> submit_routes();
    std::vector<net::Route> repeat_routes();
    std::vector<net::Route> read_routes();
    std::vector<net::Route> log_routes();
    std::vector<net::Route> stream_routes();
    net::Task<orchestration::LogRef> log_of(net::Call call);

    Collaborators with_;
};

}  // namespace nexa::api
