// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace nexa {

/// A moment in UTC, to the microsecond: what the database stores and the API shows.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// The source of time, handed to whatever needs it. Only apps/ makes a SystemClock; tests use
/// fakes::ManualClock. Implementations are thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;

    /// Wall time. May jump.
    virtual Timestamp now() const = 0;
    /// Monotonic time: the one for timeouts and for fencing oneself.
    virtual std::chrono::steady_clock::time_point steady_now() const = 0;
};

class SystemClock final : public Clock {
public:
    Timestamp now() const override;
    std::chrono::steady_clock::time_point steady_now() const override;
};

/// "2025-11-20T19:00:00.000Z": RFC 3339, UTC, milliseconds.
std::string to_rfc3339(Timestamp time);

/// Reads RFC 3339 with Z or a numeric offset and up to nine digits of fraction (cut to
/// microseconds). Errors: kInvalidArgument.
Result<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace nexa
