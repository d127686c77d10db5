// SPDX-License-Identifier: Apache-2.0
#include "worker/health.h"

#include <cmath>

#include <fmt/format.h>

namespace nexa::worker {

namespace {

using protocol::HealthProblem;
using std::chrono::milliseconds;

constexpr double kMebibyte = 1 << 20;

std::optional<HealthProblem> look_at_disk(
    const HealthReading& reading, const HealthLimits& limits
) {
    if (!reading.disk_bytes_free) {
        return HealthProblem{
            .kind = "disk",
            .detail = fmt::format(
                "the disk of {} cannot be read: {}",
                reading.folder.native(),
                reading.disk_bytes_free.error().message
            ),
        };
    }
    if (*reading.disk_bytes_free >= static_cast<std::uint64_t>(limits.disk_bytes_min)) {
        return std::nullopt;
    }
    return HealthProblem{
        .kind = "disk",
        .detail = fmt::format(
            "{} has {:.0f} MiB free, and jobs need {:.0f} MiB",
            reading.folder.native(),
            std::floor(static_cast<double>(*reading.disk_bytes_free) / kMebibyte),
            static_cast<double>(limits.disk_bytes_min) / kMebibyte
        ),
    };
}

std::optional<HealthProblem> look_at_gpus(
    const HealthReading& reading, const HealthLimits& limits, int gpus_registered
) {
    if (limits.gpus == 0) {
        return std::nullopt;
    }
    const GpuAnswer& answer = reading.gpus;
    const int wanted = limits.gpus.value_or(gpus_registered);
    if (!answer.failure.empty()) {
        return HealthProblem{.kind = "gpu", .detail = answer.failure};
    }
    protocol::HardwareProfile seen;
    parse_gpus(answer.csv, seen);
    if (seen.gpus >= wanted) {
        return std::nullopt;
    }
    return HealthProblem{
        .kind = "gpu",
        .detail = answer.is_installed
                      ? fmt::format("nvidia-smi shows {} of {} GPUs", seen.gpus, wanted)
                      : fmt::format("{} GPUs are expected, and there is no nvidia-smi", wanted),
    };
}

std::optional<HealthProblem> look_at_clock(
    const HealthReading& reading, const HealthLimits& limits
) {
    if (!reading.clock_offset ||
        std::chrono::abs(*reading.clock_offset) <= limits.clock_offset_max) {
        return std::nullopt;
    }
    const std::chrono::duration<double> off = std::chrono::abs(*reading.clock_offset);
    return HealthProblem{
        .kind = "clock",
        .detail = fmt::format(
            "the clock is {:.0f} s {} the server's",
            off.count(),
            reading.clock_offset->count() > 0 ? "ahead of" : "behind"
        ),
    };
}

}  // namespace

std::vector<HealthProblem> find_problems(
    const HealthReading& reading, const HealthLimits& limits, int gpus_registered
) {
    std::vector<HealthProblem> problems;
    for (auto& problem :
         {look_at_disk(reading, limits),
          look_at_gpus(reading, limits, gpus_registered),
          look_at_clock(reading, limits)}) {
        if (problem) {
            problems.push_back(*problem);
        }
    }
    if (!reading.sandbox.available) {
        problems.push_back({
            .kind = "sandbox",
            .detail = fmt::format(
                "jobs cannot be enclosed: {}: {}",
                sandbox::to_string(reading.sandbox.kind),
                reading.sandbox.reason
            ),
        });
    }
    return problems;
}

milliseconds clock_offset(Timestamp asked_at, Timestamp server_time, Timestamp answered_at) {
    const auto ahead = std::chrono::duration_cast<milliseconds>(asked_at - server_time);
    const auto behind = std::chrono::duration_cast<milliseconds>(server_time - answered_at);
    if (ahead.count() > 0) {
        return ahead;
    }
    return behind.count() > 0 ? -behind : milliseconds(0);
}

}  // namespace nexa::worker
