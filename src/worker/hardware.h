// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/worker_messages.h"

namespace nexa::worker {

/// What nvidia-smi said of this machine's GPUs.
struct GpuAnswer {
    bool is_installed = false;
    std::string csv;      ///< what parse_gpus() reads
    std::string failure;  ///< why it said nothing, in one sentence; empty if it did
};

/// Asks `nvidia-smi`, looked up in `search_path` (the form of PATH; empty: the usual folders).
/// Blocking: one that hangs is ended after ten seconds.
GpuAnswer ask_gpus(const std::string& search_path);

/// What this machine has, as the kernel and nvidia-smi say; what they do not say stays at its
/// default. `folder`: on whose disk jobs will write. Blocking, shortly.
protocol::HardwareProfile read_hardware(const std::filesystem::path& folder, const GpuAnswer& gpus);

/// What `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits` wrote, put into
/// the profile: how many, the first one's name, and the memory of the smallest. Text that is no
/// such list changes nothing.
void parse_gpus(std::string_view csv, protocol::HardwareProfile& profile);

/// "MemTotal:  16384 kB" of /proc/meminfo in bytes; 0 if there is none.
std::int64_t parse_memory_total(std::string_view meminfo);
/// The first "model name" of /proc/cpuinfo, cut to what a profile takes; empty if there is none.
std::string parse_cpu_model(std::string_view cpuinfo);

}  // namespace nexa::worker
