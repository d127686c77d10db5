// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/context.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace nexa::cli {

/// What a server on this machine is started with, beside its environment.
struct ServerSettings {
    std::string file;  ///< nexa.yaml; empty: the one that is found
    std::vector<std::string> sets;
};
/// `--config` and `--set`.
void add_server_settings(CLI::App& command, ServerSettings& settings);

/// Runs the `nexad` beside this program with `flags` and returns what it printed. Blocks.
/// Errors: what it says, as kInvalidArgument; kDeadlineExceeded.
Result<std::string> ask_server_program(
    const CliContext& context,
    const std::vector<std::string>& flags,
    const ServerSettings& settings,
    std::chrono::milliseconds time_max = std::chrono::seconds(30)
);

}  // namespace nexa::cli
