// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <filesystem>
#include <initializer_list>

namespace nexa {

/// Where the program that is running lies.
std::filesystem::path program_directory();

/// Blocks the signals, in this thread and in all that are started after it, for a thread that takes
/// them by sigwait(3) or signalfd(2). Call it before the first thread. Returns them as a set.
sigset_t block_signals(std::initializer_list<int> signals);

}  // namespace nexa
