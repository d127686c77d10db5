// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/metrics.h"
#include "core/result.h"

namespace nexa::monitoring {

/// The resources of this process under the names that Prometheus's own clients use:
/// process_cpu_seconds_total, process_resident_memory_bytes, process_threads, process_open_fds.
/// Used by one thread at a time; `registry` outlives it.
class ProcessMetrics {
public:
    explicit ProcessMetrics(MetricRegistry& registry);

    /// Reads /proc/self, which takes some microseconds. To be called before an export. Errors:
    /// kUnavailable (no /proc); the metrics keep their values.
    Status refresh();

private:
    Counter& cpu_seconds_;
    Gauge& resident_bytes_;
    Gauge& threads_;
    Gauge& open_files_;
};

}  // namespace nexa::monitoring
