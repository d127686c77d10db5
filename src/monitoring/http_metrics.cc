// SPDX-License-Identifier: Apache-2.0
#include "monitoring/http_metrics.h"

#include <chrono>

namespace nexa::monitoring {

namespace {

const std::string kUnmatched = "unmatched";

}  // namespace

void HttpMetrics::record(const net::RequestRecord& record) {
    const std::string& operation = record.operation_id.empty() ? kUnmatched : record.operation_id;
    const std::chrono::duration<double> took = record.duration;
    const Lock lock(mutex_);
    requests(operation, record.status).add();
    seconds(operation).observe(took.count());
}

Counter& HttpMetrics::requests(const std::string& operation, int status) {
    Counter*& known = requests_[operation][status];
    if (known == nullptr) {
        known = &registry_.counter(
            {"nexa_http_requests_total", "HTTP requests answered, by operation and status."},
            {{"operation", operation}, {"status", std::to_string(status)}}
        );
    }
    return *known;
}

Histogram& HttpMetrics::seconds(const std::string& operation) {
    Histogram*& known = seconds_[operation];
    if (known == nullptr) {
        known = &registry_.histogram(
            {"nexa_http_request_seconds", "Time from a request's head to the end of its answer."},
            kLatencyBounds,
            {{"operation", operation}}
        );
    }
    return *known;
}

void raise_to(Counter& counter, double total) {
    const double behind = total - counter.value();
    if (behind > 0) {
        counter.add(behind);
    }
}

void set_server_metrics(MetricRegistry& registry, const net::HttpServerStats& stats) {
    constexpr MetricInfo kConnections{
        "nexa_http_connections_total", "Connections that came in, by what was done with them."
    };
    raise_to(
        registry.counter(kConnections, {{"outcome", "accepted"}}),
        static_cast<double>(stats.connections_accepted)
    );
    raise_to(
        registry.counter(kConnections, {{"outcome", "refused"}}),
        static_cast<double>(stats.connections_refused)
    );
    registry.gauge({"nexa_http_open_connections", "Connections open now."})
        .set(static_cast<double>(stats.connections_open));
}

}  // namespace nexa::monitoring
