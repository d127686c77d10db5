// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/clock.h"
#include "net/router.h"
#include "net/sse.h"
#include "net/task_group.h"
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
        net::TaskGroup& streams;  ///< feeds event streams; outlives the server
    };
    explicit JobEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> submit(net::Request request);
    net::Task<protocol::JobView> get(net::Call call);
    net::Task<protocol::JobList> list(net::Call call);
    net::Task<protocol::JobView> cancel(net::Call call);
    net::Task<protocol::JobStatusView> status(net::Call call);
    net::Task<net::Response> events(net::Request request);
    net::Task<net::Response> logs(net::Request request);
    net::Task<net::Response> follow_logs(net::Request request);
    net::Task<void> feed(std::shared_ptr<net::SseStream> stream, JobId job_id, std::int64_t after);

    std::vector<net::Route> submit_routes();
    std::vector<net::Route> read_routes();

    Collaborators with_;
};

}  // namespace nexa::api
