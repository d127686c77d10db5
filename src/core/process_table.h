// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa {

/// One process as /proc shows it.
struct ProcessEntry {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t session = 0;
    bool dead = false;  ///< a zombie: gone but not yet collected by its parent
    std::uint64_t threads = 0;
    std::uint64_t started_at_ticks = 0;  ///< with the pid, names the process for ever
    std::chrono::milliseconds cpu{};     ///< its own and that of the children it has collected
    std::uint64_t resident_bytes = 0;
};

/// Reads one line of /proc/PID/stat. Errors: kMalformed.
Result<ProcessEntry> parse_process_stat(std::string_view line);

/// All processes that /proc shows, in no particular order; those that end meanwhile are left out.
/// Blocks for some milliseconds. Errors: kUnavailable (no /proc).
Result<std::vector<ProcessEntry>> read_process_table();

/// `root` and everything below it, parents before children; empty if `root` is gone. Costs in
/// proportion to the tree where the kernel lists children, else to the whole process table.
Result<std::vector<ProcessEntry>> read_process_tree(pid_t root);

/// Sends `signal` to the process of `entry`, and never to another one that got its number since.
/// True if the process was still there.
bool signal_process(const ProcessEntry& entry, int signal);

}  // namespace nexa
