// SPDX-License-Identifier: Apache-2.0
#include "core/this_process.h"

#include <pthread.h>

#include <system_error>

namespace nexa {

std::filesystem::path program_directory() {
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
}

sigset_t block_signals(std::initializer_list<int> signals) {
    sigset_t set{};
    sigemptyset(&set);
    for (const int signal : signals) {
        sigaddset(&set, signal);
    }
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return set;
}

}  // namespace nexa
