// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/metrics.h"

#include "api/rows.h"
#include "monitoring/http_metrics.h"
#include "monitoring/process_metrics.h"
#include "monitoring/prometheus.h"

namespace nexa::api {

namespace {

void set_queue_metrics(MetricRegistry& registry, const orchestration::QueueCounts& counts) {
    for (const auto& [state, jobs] : counts.jobs) {
        registry
            .gauge(
                {"nexa_queue_jobs", "Jobs that are not over, by queue state."}, {{"state", state}}
            )
            .set(static_cast<double>(jobs));
    }
    for (const auto& [membership, workers] : counts.workers) {
        registry
            .gauge(
                {"nexa_workers", "Workers registered, by membership."}, {{"membership", membership}}
            )
            .set(static_cast<double>(workers));
    }
}

void set_writer_metrics(MetricRegistry& registry, const db::WriterStats& stats) {
    const auto raise = [&](const MetricInfo& info, Labels labels, std::uint64_t total) {
        monitoring::raise_to(registry.counter(info, std::move(labels)), static_cast<double>(total));
    };
    constexpr MetricInfo kEntries{
        "nexa_db_writes_total",
        "Writes handed to the database's writer, by how they ended; per batch they share one sync."
    };
    raise(kEntries, {{"outcome", "committed"}}, stats.committed);
    raise(kEntries, {{"outcome", "refused"}}, stats.refused);
    raise(kEntries, {{"outcome", "lost"}}, stats.lost);
    raise({"nexa_db_batches_total", "Write transactions committed."}, {}, stats.batches);
    raise(
        {"nexa_db_busy_retries_total", "Batches tried again since another process wrote."},
        {},
        stats.busy_retries
    );
    registry.gauge({"nexa_db_writes_waiting", "Writes that wait for a batch now."})
        .set(static_cast<double>(stats.waiting));
}

}  // namespace

std::vector<net::Route> MetricsEndpoints::routes() {
    net::Route row{
        .path = "/metrics",
        .operation_id = "system_metrics",
        .summary = "Metrics in the Prometheus text format",
        .tag = "system",
        .scope = "system:read",
    };
    row.response = {
        .name = "Metrics",
        .schema = [] { return std::string(R"({"type":"string"})"); },
        .content_type = std::string(monitoring::kPrometheusContentType),
    };
    row.handler = bound(*this, &MetricsEndpoints::metrics);
    return {std::move(row)};
}

net::Task<net::Response> MetricsEndpoints::metrics(net::Request) {
    CO_TRY(const auto counts, co_await with_.backend.read(orchestration::count_queue));
    auto write = [this, counts, server = with_.server_stats()]() -> Result<std::string> {
        return write_out(counts, server);
    };
    CO_TRY(std::string text, co_await net::run_on(with_.backend.pool, std::move(write)));
    co_return net::Response::text(std::move(text), std::string(monitoring::kPrometheusContentType));
}

std::string MetricsEndpoints::write_out(
    const orchestration::QueueCounts& counts, const net::HttpServerStats& server
) {
    const Lock lock(exporting_);
    set_queue_metrics(with_.registry, counts);
    set_writer_metrics(with_.registry, with_.backend.writer.stats());
    monitoring::set_server_metrics(with_.registry, server);
    // Where there is no /proc, the other metrics are worth their answer.
    static_cast<void>(monitoring::ProcessMetrics(with_.registry).refresh());
    return monitoring::to_prometheus(with_.registry.snapshot());
}

}  // namespace nexa::api
