// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nexa {

/// Prints `file:line: check failed: condition` to stderr and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace nexa

/// Our bug if it does not hold: aborts in every build. Never for data from a peer, file, database
/// or user.
#define NEXA_CHECK(condition)                            \
    (static_cast<bool>(condition) ? static_cast<void>(0) \
                                  : ::nexa::check_failed(#condition, __FILE__, __LINE__))

/// The same in hot loops: gone where NDEBUG is defined.
#ifdef NDEBUG
#define NEXA_DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define NEXA_DCHECK(condition) NEXA_CHECK(condition)
#endif
