// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "protocol/worker_messages.h"
#include "sandbox/sandbox.h"
#include "worker/hardware.h"

namespace nexa::worker {

/// Where a worker stops being well.
struct HealthLimits {
    std::int64_t disk_bytes_min = std::int64_t{1} << 30U;  ///< free for jobs; 0: any
    std::chrono::milliseconds clock_offset_max = std::chrono::seconds(30);
    std::optional<int> gpus;  ///< how many there are to be; unset: as many as it registered
};

/// One look at the machine.
struct HealthReading {
    std::filesystem::path folder;  ///< on whose disk jobs write
    Result<std::uint64_t> disk_bytes_free = std::uint64_t{0};
    GpuAnswer gpus;
    sandbox::Probe sandbox;
    /// How far our clock is ahead of the server's, at the least; unset: not known yet.
    std::optional<std::chrono::milliseconds> clock_offset;
};

/// What is wrong, a sentence each; empty if nothing is. `gpus_registered`: as the worker said when
/// it registered.
std::vector<protocol::HealthProblem> find_problems(
    const HealthReading& reading, const HealthLimits& limits, int gpus_registered
);

/// How far our clock, which showed `asked_at` and `answered_at` around a call, is ahead of the
/// server's, which showed `server_time` in between: what the time on the way can explain is left
/// off, so it is never more than the truth.
std::chrono::milliseconds clock_offset(
    Timestamp asked_at, Timestamp server_time, Timestamp answered_at
);

}  // namespace nexa::worker
