// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/metrics.h"
#include "core/mutex.h"
#include "net/http_server.h"
#include "net/router.h"
#include "orchestration/backend.h"
#include "orchestration/queue_counts.h"

namespace nexa::api {

/// GET /metrics: everything that the registry counts, and what others count and is copied into it
/// for each answer (queue, writer, connections, process), in the Prometheus text format.
class MetricsEndpoints {
public:
    struct Collaborators {
        orchestration::Backend backend;
        MetricRegistry& registry;
        std::function<net::HttpServerStats()> server_stats;  ///< called once the server runs
    };
    explicit MetricsEndpoints(Collaborators with) : with_(std::move(with)) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> metrics(net::Request request);
    /// Blocks on another export.
    std::string write_out(
        const orchestration::QueueCounts& counts, const net::HttpServerStats& server
    ) NEXA_EXCLUDES(exporting_);

    Collaborators with_;
    Mutex exporting_;  ///< copies into the registry are one thread's at a time
};

}  // namespace nexa::api
