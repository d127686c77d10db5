// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "protocol/worker_messages.h"

namespace nexa::worker {

/// What this machine has, as the kernel says; what it does not say stays at its default. `folder`:
/// on whose disk jobs will write. Blocking.
protocol::HardwareProfile read_hardware(const std::filesystem::path& folder);

/// "MemTotal:  16384 kB" of /proc/meminfo in bytes; 0 if there is none.
std::int64_t parse_memory_total(std::string_view meminfo);
/// The first "model name" of /proc/cpuinfo, cut to what a profile takes; empty if there is none.
std::string parse_cpu_model(std::string_view cpuinfo);

}  // namespace nexa::worker
