// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "cli/context.h"
#include "core/result.h"

namespace nexa::cli {

/// Ctrl-C and its like as a state that a long command asks for between two steps, so that it ends
/// in its own way. Not thread-safe.
class Interrupt {
public:
    /// From here on the signals end nothing by themselves.
    static Result<Interrupt> watch(CliContext& context);

    /// Waits for `time`, or until a signal comes. Errors: kCancelled, then and ever after.
    Status wait(std::chrono::milliseconds time);
    /// Errors: kCancelled if a signal has come.
    Status check() { return wait(std::chrono::milliseconds(0)); }

private:
    explicit Interrupt(UniqueFd signals) : signals_(std::move(signals)) {}

    UniqueFd signals_;
    bool came_ = false;
};

}  // namespace nexa::cli
