// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "cli/session.h"

namespace nexa::cli {

/// The exit code of a command that a signal has ended.
inline constexpr int kInterruptedExit = 130;

struct QuickstartOptions {
    std::filesystem::path data;  ///< the user's file or folder; empty: sums are made here
    std::filesystem::path dir = "nexa-quickstart";
    std::filesystem::path report;  ///< where the report is written as JSON; empty: nowhere
    bool ends = false;             ///< when done, also on a terminal
    std::optional<std::uint16_t> port;
    std::optional<std::uint16_t> gateway_port;
};

/// Starts server, worker and gateway in `dir` and takes the user through the whole life of a model,
/// a line a step: data, audit, teacher, distillation, student, deployment, chat. A run that was
/// interrupted goes on where it was; after a finished one the next begins anew. Blocks; nothing
/// runs on after it returns. Returns 0, or 130 after a signal. Errors: those of the jobs.
Result<int> run_quickstart(Session& session, QuickstartOptions options);

}  // namespace nexa::cli
