// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace nexa::cli {

Result<Interrupt> Interrupt::watch(CliContext& context) {
    TRY(UniqueFd signals, context.watch_signals());
    return Interrupt(std::move(signals));
}

Status Interrupt::wait(std::chrono::milliseconds time) {
    if (!came_) {
        TRY(const bool readable, wait_readable(signals_.get(), time));
        signalfd_siginfo info{};
        came_ = readable && ::read(signals_.get(), &info, sizeof(info)) > 0;
    }
    return came_ ? Status(Error(ErrorCode::kCancelled, "stopped by a signal")) : Status();
}

}  // namespace nexa::cli
