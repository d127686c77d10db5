// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nexa::cli {

/// Gives the command line the world: environment, clock, randomness, terminal. Returns the exit
/// code.
int run_in_the_world(const std::vector<std::string>& arguments);

}  // namespace nexa::cli
