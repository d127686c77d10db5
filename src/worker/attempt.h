// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"
#include "protocol/engine.h"
#include "protocol/lease_messages.h"
#include "sandbox/sandbox.h"

namespace nexa::worker {

/// Opens the signed spec of a lease: signed by the coordinator's key, for this worker, this job and
/// this fence. Errors: kUnauthenticated, kMalformed, kInvalidArgument.
Result<protocol::JobSpec> open_spec(
    const protocol::LeasedJob& lease,
    const std::string& coordinator_key,
    const std::string& worker_id
);

/// Reads JOBDIR/result.json. Blocking. Errors: kNotFound, kMalformed, kInvalidArgument.
Result<protocol::EngineResult> read_engine_result(const std::filesystem::path& folder);

/// The error in the form of a result.
protocol::EngineError to_engine_error(const Error& error);

/// What an engine that is over has come to: its own result, or why there is none that counts. A
/// limit overrules what the engine says, since a job that was killed at its limit is not done.
/// Never a mixture: with an error there are neither result nor outputs. The usage holds the
/// processor time that the sandbox has seen, and no accelerators': the caller knows what it held.
protocol::EngineResult judge(
    Result<protocol::EngineResult> result, const sandbox::Outcome& outcome
);

}  // namespace nexa::worker
