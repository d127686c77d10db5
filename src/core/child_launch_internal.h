// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <span>

#include "core/child_process.h"

/// What runs between fork and exec. Everything is prepared before the fork: the code here makes
/// system calls only, since another thread of the parent may have held any lock.
namespace nexa::internal {

struct FdMove {
    int source;
    int target;
    int parked;  ///< out of the way of all targets; filled in the child
};

struct LimitRow {
    int resource;
    rlimit limit;
};

enum class LaunchStep : std::uint8_t {
    kFork,
    kSession,
    kWorkingDirectory,
    kPreExec,
    kDescriptors,
    kLimits,
    kPrivileges,
    kExec,
};

/// Sent over the error pipe, which exec closes.
struct LaunchFailure {
    LaunchStep step;
    int detail;  ///< which pre-exec step or target descriptor
    int error_number;
};

/// Sent by the guard: first the child's pid, at its end the status of waitpid.
struct GuardMessage {
    enum class Kind : std::uint8_t { kStarted, kEnded } kind;
    int value;
};

struct LaunchPlan {
    const char* program;
    char* const* argv;
    char* const* environment;
    int working_directory;  ///< -1: stay
    int error_pipe;
    int guard_channel;  ///< -1: not guarded
    std::span<FdMove> moves;
    std::span<const LimitRow> limits;
    std::span<const PreExecStep> before_exec;
    bool no_new_privileges;
};

/// The child's side: becomes the program, or says why not and exits. `parent` is who must be
/// alive. All signals are blocked on entry.
[[noreturn]] void become_program(LaunchPlan& plan, pid_t parent) noexcept;

/// The guard's side: starts the program, adopts its orphans, kills all when the channel closes.
[[noreturn]] void guard_program(LaunchPlan& plan) noexcept;

}  // namespace nexa::internal
