// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"

namespace nexa::cli {

/// No program of this machine listens on `port` of loopback. It may a moment later.
bool is_port_free(std::uint16_t port);

/// kUnavailable, at `flag`.
Error port_is_taken(std::uint16_t port, std::string_view flag);

/// The port that was asked for; or else the usual one or, where that is taken, any that is free.
/// Errors: kUnavailable, at `flag`.
Result<std::uint16_t> choose_port(
    std::optional<std::uint16_t> asked, std::uint16_t usual, std::string_view flag
);

}  // namespace nexa::cli
