// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/session.h"

namespace nexa::cli {

/// Prints what a job would be, take and cost, and what it would wait for. `reply` is the server's
/// JobEstimate. Exit code 0, whatever blocks it.
Result<int> show_estimate(Session& session, const std::string& reply);

}  // namespace nexa::cli
