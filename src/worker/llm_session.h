// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "core/random.h"
#include "core/secrets.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task.h"
#include "protocol/llm_messages.h"
#include "worker/llm_cache.h"
#include "worker/llm_cost.h"
#include "worker/llm_teacher.h"

namespace nexa::worker {

/// What a job has had from its endpoints, as the worker has measured it. What an earlier attempt of
/// the same job paid for counts; what another job paid for does not.
struct LlmUsage {
    std::int64_t requests = 0;
    std::int64_t from_cache = 0;
    std::int64_t failed = 0;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    Picodollars cost;
};

/// An endpoint that a job may ask.
struct LlmEndpoint {
    std::string text;  ///< as the spec names it
    LlmTeacher& teacher;
    std::string model;
    std::shared_ptr<const Secret> key;  ///< null: none is sent
};

struct LlmJob {
    std::string job_id;
    std::int64_t fence = 0;
    Picodollars cap;  ///< zero: none
    CancelToken token;
};

/// Answers the requests of one job: only to the endpoints that its spec names, from the cache where
/// it can, within the cost cap. Thread-safe.
class LlmSession {
public:
    struct Collaborators {
        LlmCache& cache;
        net::WorkPool& disk;
        const Clock& clock;
        Random& random;
    };
    LlmSession(LlmJob job, std::vector<LlmEndpoint> endpoints, Collaborators with)
        : job_(std::move(job)), endpoints_(std::move(endpoints)), with_(with), budget_(job_.cap) {}

    /// A reply, whatever comes: its error says what went wrong. Errors: kCancelled.
    net::Task<protocol::LlmReply> answer(protocol::LlmRequest request);

    LlmUsage usage() const;

private:
    class Reservation;

    Result<const LlmEndpoint*> find_endpoint(const std::string& text) const;
    net::Task<protocol::LlmReply> from_cache(Sha256Digest key, std::int64_t id);
    net::Task<protocol::LlmReply> from_endpoint(
        const LlmEndpoint* endpoint, protocol::LlmRequest request, Sha256Digest key
    );
    net::Task<LlmOutcome> ask_all(const LlmEndpoint* endpoint, protocol::LlmRequest request);
    net::Task<LlmOutcome> ask_until_answered(
        const LlmEndpoint* endpoint, protocol::LlmRequest request
    );
    net::Task<void> reserve(Picodollars worst);
    void settle(Picodollars worst, Picodollars actual);
    protocol::LlmReply refusal(std::int64_t id, const Error& error);

    const LlmJob job_;
    const std::vector<LlmEndpoint> endpoints_;
    Collaborators with_;
    net::Signal settled_;
    mutable Mutex mutex_;
    CostBudget budget_ NEXA_GUARDED_BY(mutex_);
    LlmUsage usage_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::worker
