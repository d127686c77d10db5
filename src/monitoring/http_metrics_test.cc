// SPDX-License-Identifier: Apache-2.0
#include "monitoring/http_metrics.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "monitoring/prometheus.h"

namespace nexa::monitoring {
namespace {

using std::chrono::milliseconds;

net::RequestRecord record_of(std::string operation, int status, milliseconds took) {
    net::RequestRecord record;
    record.path = "/whatever/the/client/wrote";
    record.operation_id = std::move(operation);
    record.status = status;
    record.duration = took;
    return record;
}

bool has_line(const MetricRegistry& registry, std::string_view line) {
    return to_prometheus(registry.snapshot()).find(fmt::format("\n{}\n", line)) !=
           std::string::npos;
}

TEST(HttpMetrics, RequestsAreCountedByOperationAndStatus) {
    MetricRegistry registry;
    HttpMetrics metrics(registry);
    metrics.record(record_of("jobs_get", 200, milliseconds{3}));
    metrics.record(record_of("jobs_get", 200, milliseconds{30}));
    metrics.record(record_of("jobs_get", 404, milliseconds{3}));
    EXPECT_TRUE(
        has_line(registry, R"(nexa_http_requests_total{operation="jobs_get",status="200"} 2)")
    );
    EXPECT_TRUE(
        has_line(registry, R"(nexa_http_requests_total{operation="jobs_get",status="404"} 1)")
    );
    EXPECT_TRUE(
        has_line(registry, R"(nexa_http_request_seconds_bucket{operation="jobs_get",le="0.005"} 2)")
    );
    EXPECT_TRUE(has_line(registry, R"(nexa_http_request_seconds_count{operation="jobs_get"} 3)"));
}

TEST(HttpMetrics, PathsThatNobodyServesShareOneSeries) {
    MetricRegistry registry;
    HttpMetrics metrics(registry);
    metrics.record(record_of("", 404, milliseconds{1}));
    metrics.record(record_of("", 404, milliseconds{1}));
    EXPECT_TRUE(
        has_line(registry, R"(nexa_http_requests_total{operation="unmatched",status="404"} 2)")
    );
}

TEST(HttpMetrics, ThreadsLoseNoRequest) {
    MetricRegistry registry;
    HttpMetrics metrics(registry);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&metrics] {
            for (int k = 0; k < 250; ++k) {
                metrics.record(record_of("a", 200 + k % 2, milliseconds{1}));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(has_line(registry, R"(nexa_http_requests_total{operation="a",status="200"} 500)"));
    EXPECT_TRUE(has_line(registry, R"(nexa_http_request_seconds_count{operation="a"} 1000)"));
}

TEST(HttpMetrics, AServersOwnCountsAreTakenOver) {
    MetricRegistry registry;
    set_server_metrics(
        registry, {.connections_accepted = 5, .connections_refused = 1, .connections_open = 3}
    );
    set_server_metrics(
        registry, {.connections_accepted = 7, .connections_refused = 1, .connections_open = 2}
    );
    EXPECT_TRUE(has_line(registry, R"(nexa_http_connections_total{outcome="accepted"} 7)"));
    EXPECT_TRUE(has_line(registry, R"(nexa_http_connections_total{outcome="refused"} 1)"));
    EXPECT_TRUE(has_line(registry, "nexa_http_open_connections 2"));
}

TEST(HttpMetrics, ACounterThatIsTakenOverNeverFalls) {
    Counter counter;
    raise_to(counter, 4);
    raise_to(counter, 2);
    EXPECT_EQ(counter.value(), 4);
}

}  // namespace
}  // namespace nexa::monitoring
