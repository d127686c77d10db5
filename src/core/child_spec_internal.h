// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/child_launch_internal.h"
#include "core/child_process.h"

/// What is done with a ChildSpec before the fork: all checks, and all that may allocate.
namespace nexa::internal {

Status check_spec(const ChildSpec& spec);

/// The file to execute. Only a bare name is looked up; the kernel judges everything else.
Result<std::string> find_program(const ChildSpec& spec);

/// Empty where the spec names none.
Result<UniqueFd> open_working_directory(const ChildSpec& spec);

/// What one standard stream needs on our side.
struct PreparedStream {
    int source = -1;  ///< what the child gets; owned by `held` or by the caller
    UniqueFd held;
    UniqueFd ours;
};

struct Streams {
    std::array<PreparedStream, 3> prepared;
    std::vector<FdMove> moves;
};

/// Opens what the standard streams need, and lists what the child must find where.
Result<Streams> prepare_streams(const ChildSpec& spec);

std::vector<LimitRow> limit_rows(const ResourceLimits& limits);

}  // namespace nexa::internal
