// SPDX-License-Identifier: Apache-2.0
#include "core/circuit_breaker.h"

#include <algorithm>
#include <tuple>

#include "core/check.h"

namespace nexa {

CircuitBreaker::CircuitBreaker(CircuitBreakerOptions options) : options_(options) {
    NEXA_CHECK(options.failures_to_open >= 1);
    NEXA_CHECK(options.probes_max >= 1);
    NEXA_CHECK(options.keys_max >= 1);
    NEXA_CHECK(options.pause >= std::chrono::microseconds(0));
}

void CircuitBreaker::change(Circuit& circuit, CircuitState state, Time now) {
    circuit.state = state;
    circuit.probes_out = 0;
    circuit.paused_at = now;
    circuit.changed_at = ++serial_;
}

Result<CircuitBreaker::Permit> CircuitBreaker::admit(std::string_view key, Time now) {
    const auto found = circuits_.find(key);
    if (found == circuits_.end() || found->second.state == CircuitState::kClosed) {
        return Permit{std::string(key), serial_};
    }
    Circuit& circuit = found->second;
    const bool paused = now - circuit.paused_at >= options_.pause;
    const bool probes_left =
        circuit.state == CircuitState::kHalfOpen && circuit.probes_out < options_.probes_max;
    if (!paused && !probes_left) {
        const auto wait = circuit.paused_at + options_.pause - now;
        return Error::unavailable(
                   "calls to '{}' are stopped after {} failures in a row", key, circuit.failures
        )
            .hint(fmt::format(
                "it is tried again in {} ms",
                std::chrono::ceil<std::chrono::milliseconds>(wait).count()
            ));
    }
    // Also a half-open circuit starts anew after a pause: probes that never answered are lost.
    if (!probes_left) {
        change(circuit, CircuitState::kHalfOpen, now);
    }
    ++circuit.probes_out;
    circuit.paused_at = now;
    return Permit{std::string(key), serial_};
}

CircuitBreaker::Circuits::iterator CircuitBreaker::find(const Permit& permit) {
    const auto found = circuits_.find(permit.key);
    const bool stale = found != circuits_.end() && permit.serial < found->second.changed_at;
    return stale ? circuits_.end() : found;
}

void CircuitBreaker::succeeded(const Permit& permit) {
    const auto found = find(permit);
    if (found != circuits_.end()) {
        circuits_.erase(found);
    }
}

void CircuitBreaker::failed(const Permit& permit, Time now) {
    if (!circuits_.contains(permit.key)) {
        make_room();
        circuits_.emplace(permit.key, Circuit{});
    }
    const auto found = find(permit);
    if (found == circuits_.end()) {
        return;
    }
    Circuit& circuit = found->second;
    circuit.touched = now;
    ++circuit.failures;
    if (circuit.state == CircuitState::kHalfOpen || circuit.failures >= options_.failures_to_open) {
        change(circuit, CircuitState::kOpen, now);
    }
}

void CircuitBreaker::abandoned(const Permit& permit) {
    const auto found = find(permit);
    if (found != circuits_.end() && found->second.probes_out > 0) {
        --found->second.probes_out;
    }
}

void CircuitBreaker::make_room() {
    if (circuits_.size() < options_.keys_max) {
        return;
    }
    // Rather a closed one, which loses only its count.
    const auto order = [](const auto& entry) {
        return std::tuple(entry.second.state != CircuitState::kClosed, entry.second.touched);
    };
    circuits_.erase(std::ranges::min_element(circuits_, {}, order));
}

CircuitState CircuitBreaker::state(std::string_view key, Time now) const {
    const auto found = circuits_.find(key);
    if (found == circuits_.end()) {
        return CircuitState::kClosed;
    }
    const Circuit& circuit = found->second;
    if (circuit.state == CircuitState::kOpen && now - circuit.paused_at >= options_.pause) {
        return CircuitState::kHalfOpen;
    }
    return circuit.state;
}

}  // namespace nexa
