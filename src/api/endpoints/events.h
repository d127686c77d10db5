// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/live_streams.h"
#include "net/router.h"
#include "orchestration/job_service.h"
#include "orchestration/worker_service.h"

namespace nexa::api {

/// /api/events/stream: several topics over one connection, since a browser has few of them.
class EventEndpoints {
public:
    struct Collaborators {
        orchestration::JobService& jobs;
        orchestration::WorkerService& workers;
        LiveStreams& streams;
    };
    explicit EventEndpoints(Collaborators with) : with_(with) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> stream(net::Request request);

    Collaborators with_;
};

}  // namespace nexa::api
