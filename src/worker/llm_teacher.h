// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "core/secrets.h"
#include "net/http_client.h"
#include "net/signal.h"
#include "net/task.h"
#include "protocol/llm_messages.h"
#include "worker/llm_cost.h"
#include "worker/llm_gate.h"
#include "worker/llm_settings.h"

namespace nexa::worker {

/// What came of asking an endpoint once.
struct LlmOutcome {
    std::vector<protocol::LlmChoice> choices;  ///< one at least without an error
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    Picodollars cost;            ///< with an error: what it may have cost nevertheless
    std::optional<Error> error;  ///< redacted
    bool may_help_to_retry = false;
};

/// One configured endpoint, shared by all jobs of the worker: its limits hold for them together.
/// Thread-safe.
class LlmTeacher {
public:
    struct Collaborators {
        net::HttpClient& http;  ///< without redirects, so that the key stays with its endpoint
        const Clock& clock;
    };
    LlmTeacher(const TeacherSettings& settings, Collaborators with);

    /// Asks once, after waiting for a place (an hour at most). `key` may be null: none is sent.
    /// Errors: kCancelled; all else is in the outcome.
    net::Task<LlmOutcome> ask(
        std::string model, protocol::LlmRequest request, std::shared_ptr<const Secret> key
    );

    const TeacherSettings& settings() const { return settings_; }
    const LlmPrices& prices() const { return prices_; }

private:
    class Visit;

    net::Task<void> wait_for_place();
    LlmOutcome judge(const net::HttpResponse& response, Picodollars worst);
    LlmOutcome failed(Error error, Picodollars cost, bool may_help_to_retry) const;
    void leave();

    const TeacherSettings settings_;
    const LlmPrices prices_;
    Collaborators with_;
    net::Signal places_;
    Mutex mutex_;
    LlmGate gate_ NEXA_GUARDED_BY(mutex_);
    CircuitBreaker breaker_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::worker
