// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace nexa::cli {

/// Runs one command line, `arguments` without the program's name, and returns the exit code. Blocks
/// until the command is done. Never throws.
int run(const std::vector<std::string>& arguments, CliContext& context);

/// Every command with its flags: what the frozen list is compared with.
std::string flag_list(CliContext& context);

}  // namespace nexa::cli
