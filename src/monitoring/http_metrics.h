// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "core/metrics.h"
#include "core/mutex.h"
#include "net/http_server.h"

namespace nexa::monitoring {

/// Counts answered requests: nexa_http_requests_total by operation and status,
/// nexa_http_request_seconds by operation. A request that met no route is "unmatched", so clients
/// cannot make up series. Thread-safe; `registry` outlives it.
class HttpMetrics {
public:
    explicit HttpMetrics(MetricRegistry& registry) : registry_(registry) {}

    /// Fit for HttpServerHooks::on_request_done: takes a lock for a look-up, nothing longer.
    void record(const net::RequestRecord& record) NEXA_EXCLUDES(mutex_);

private:
    Counter& requests(const std::string& operation, int status) NEXA_REQUIRES(mutex_);
    Histogram& seconds(const std::string& operation) NEXA_REQUIRES(mutex_);

    MetricRegistry& registry_;
    Mutex mutex_;
    std::map<std::string, std::map<int, Counter*>, std::less<>> requests_ NEXA_GUARDED_BY(mutex_);
    std::map<std::string, Histogram*, std::less<>> seconds_ NEXA_GUARDED_BY(mutex_);
};

/// Brings a registry up to date with what the server counts itself: connections accepted, refused
/// and open. To be called before an export, by one thread at a time.
void set_server_metrics(MetricRegistry& registry, const net::HttpServerStats& stats);

/// Raises `counter` to `total`, which something else counts; never lowers it. One thread at a time.
void raise_to(Counter& counter, double total);

}  // namespace nexa::monitoring
