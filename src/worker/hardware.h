// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "protocol/worker_messages.h"

namespace nexa::worker {

/// What this machine has, as the kernel and, where it is, nvidia-smi say; what they do not say
/// stays at its default. `folder`: on whose disk jobs will write. Blocking, ten seconds at most.
protocol::HardwareProfile read_hardware(const std::filesystem::path& folder);

/// What `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits` wrote, put into
/// the profile: how many, the first one's name, and the memory of the smallest. Text that is no
/// such list changes nothing.
void parse_gpus(std::string_view csv, protocol::HardwareProfile& profile);

/// "MemTotal:  16384 kB" of /proc/meminfo in bytes; 0 if there is none.
std::int64_t parse_memory_total(std::string_view meminfo);
/// The first "model name" of /proc/cpuinfo, cut to what a profile takes; empty if there is none.
std::string parse_cpu_model(std::string_view cpuinfo);

}  // namespace nexa::worker
