// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace nexa {

struct CircuitBreakerOptions {
    int failures_to_open = 5;                                    ///< consecutive ones, at least 1
    std::chrono::microseconds pause = std::chrono::seconds(30);  ///< without calls, once open
    int probes_max = 1;           ///< calls at a time while half-open, at least 1
    std::size_t keys_max = 1024;  ///< keys in trouble at a time; the longest untouched is forgotten
};

enum class CircuitState : std::uint8_t {
    kClosed,    ///< calls go through
    kOpen,      ///< calls are refused
    kHalfOpen,  ///< a few probe whether the dependency is back
};

/// Stops calls to a dependency that keeps failing, each by its key (host, model, teacher), and
/// lets a few through after a pause:
///
///     CO_TRY(const auto permit, breaker.admit(host, clock.steady_now()));
///     … the call …
///     breaker.succeeded(permit);   or   breaker.failed(permit, clock.steady_now());
///
/// Decides only: no clock, no thread, no lock. Not thread-safe, its owner guards it. Healthy keys
/// cost no memory.
class CircuitBreaker {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// Leave to make one call. Each is answered once, by one of the three functions below.
    struct Permit {
        std::string key;
        std::uint64_t serial = 0;
    };

    explicit CircuitBreaker(CircuitBreakerOptions options = {});

    /// Errors: kUnavailable (open, or half-open with all probes out), saying when to come back.
    Result<Permit> admit(std::string_view key, Time now);

    /// Closes a half-open circuit, and ends the row of failures of a closed one. The outcome of a
    /// call that began before the circuit last changed says nothing about it now and is ignored.
    void succeeded(const Permit& permit);
    /// Only for what says that the dependency is unwell: kUnavailable, kDeadlineExceeded; not for
    /// a request that was wrong, which is a success here. Ignored as above.
    void failed(const Permit& permit, Time now);
    /// The call said nothing (cancelled before it began): its probe is free again.
    void abandoned(const Permit& permit);

    /// What a call that comes now would meet.
    CircuitState state(std::string_view key, Time now) const;
    /// How many keys are in trouble.
    std::size_t key_count() const { return circuits_.size(); }

private:
    struct Circuit {
        CircuitState state = CircuitState::kClosed;
        int failures = 0;
        int probes_out = 0;
        Time paused_at{};              ///< when it opened, or the last probe went out
        Time touched{};                ///< last failure
        std::uint64_t changed_at = 0;  ///< permits of a lower serial are stale
    };
    using Circuits = std::map<std::string, Circuit, std::less<>>;

    void change(Circuit& circuit, CircuitState state, Time now);
    void make_room();
    /// The circuit that this permit's outcome is about, or end().
    Circuits::iterator find(const Permit& permit);

    CircuitBreakerOptions options_;
    Circuits circuits_;
    std::uint64_t serial_ = 1;  ///< rises with every change of any circuit
};

}  // namespace nexa
