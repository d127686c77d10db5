// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "core/clock.h"
#include "core/result.h"
#include "protocol/envelope.h"
#include "protocol/worker_messages.h"

namespace nexa::fleet {

/// How far the clock of a registering worker may be off: what limits the replay of a recorded
/// registration.
inline constexpr std::chrono::minutes kRegistrationWindow{5};

/// Reads a register envelope: a WorkerRegistration, signed now with the key it names.
/// Errors: kMalformed, kInvalidArgument (a field), kUnauthenticated (the signature does not verify,
/// or it was signed outside the window around `now`).
Result<protocol::WorkerRegistration> open_registration(
    const protocol::Envelope& envelope, Timestamp now
);

}  // namespace nexa::fleet
