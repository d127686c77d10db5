// SPDX-License-Identifier: Apache-2.0
#include "cli/context.h"

namespace nexa::cli {

std::string CliContext::variable(const std::string& name) const {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

bool CliContext::may_color(bool is_terminal) const {
    return is_terminal && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

}  // namespace nexa::cli
