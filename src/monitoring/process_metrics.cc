// SPDX-License-Identifier: Apache-2.0
#include "monitoring/process_metrics.h"

#include <chrono>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "core/file.h"
#include "core/process_table.h"
#include "monitoring/http_metrics.h"

namespace nexa::monitoring {

namespace {

constexpr std::uint64_t kStatBytesMax = 4096;

}  // namespace

ProcessMetrics::ProcessMetrics(MetricRegistry& registry)
    : cpu_seconds_(registry.counter(
          {"process_cpu_seconds_total",
           "CPU time of the process and the children it has waited for."}
      )),
      resident_bytes_(
          registry.gauge({"process_resident_memory_bytes", "Memory of the process that is in RAM."})
      ),
      threads_(registry.gauge({"process_threads", "Threads of the process."})),
      open_files_(registry.gauge({"process_open_fds", "File descriptors the process has open."})) {}

Status ProcessMetrics::refresh() {
    TRY(const std::string line, read_file("/proc/self/stat", kStatBytesMax));
    TRY(const ProcessEntry self, parse_process_stat(line));
    const std::chrono::duration<double> cpu = self.cpu;
    raise_to(cpu_seconds_, cpu.count());
    resident_bytes_.set(static_cast<double>(self.resident_bytes));
    threads_.set(static_cast<double>(self.threads));
    std::error_code failed;
    std::filesystem::directory_iterator files("/proc/self/fd", failed);
    if (failed) {
        return Error::unavailable("cannot count open files: {}", failed.message());
    }
    double count = 0;
    for (; files != std::filesystem::directory_iterator(); files.increment(failed)) {
        ++count;
    }
    // The iterator's own descriptor was among them.
    open_files_.set(count - 1);
    return {};
}

}  // namespace nexa::monitoring
