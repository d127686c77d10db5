// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/log.h"
#include "core/retry.h"
#include "worker/attempt.h"

namespace nexa::worker {

namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

constexpr std::string_view kSettled = "settled";

/// How often is the endpoint's setting; whether is decided by what it answered.
RetryPolicy policy_of(const TeacherSettings& teacher) {
    return {
        .attempts = teacher.attempts,
        .base = std::chrono::milliseconds(500),
        .cap = std::chrono::seconds(20),
        .total_max = std::chrono::hours(2),
        .retries = [](ErrorCode) { return true; },
    };
}

}  // namespace

/// Part of the budget, held while a request is under way. One that is cancelled may have been
/// charged, so it counts at its worst.
class LlmSession::Reservation {
public:
    Reservation(LlmSession& session, Picodollars worst) : session_(session), worst_(worst) {}
    ~Reservation() {
        if (!settled_) {
            session_.settle(worst_, worst_);
        }
    }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    void settle(Picodollars actual) {
        settled_ = true;
        session_.settle(worst_, actual);
    }

private:
    LlmSession& session_;
    Picodollars worst_;
    bool settled_ = false;
};

LlmUsage LlmSession::usage() const {
    const Lock lock(mutex_);
    LlmUsage usage = usage_;
    usage.cost = budget_.spent();
    return usage;
}

LlmReply LlmSession::refusal(std::int64_t id, const Error& error) {
    {
        const Lock lock(mutex_);
        ++usage_.failed;
    }
    return {.id = id, .error = to_engine_error(error)};
}

Result<const LlmEndpoint*> LlmSession::find_endpoint(const std::string& text) const {
    if (text.empty() && endpoints_.size() == 1) {
        return &endpoints_.front();
    }
    const auto found = std::ranges::find(endpoints_, text, &LlmEndpoint::text);
    if (found == endpoints_.end()) {
        return Error::permission_denied("the spec of job {} does not name '{}'", job_.job_id, text)
            .at("endpoint");
    }
    return &*found;
}

net::Task<LlmReply> LlmSession::answer(LlmRequest request) {
    const std::int64_t id = request.id;
    {
        const Lock lock(mutex_);
        ++usage_.requests;
    }
    if (const Status wanted = job_.token.check(); !wanted) {
        co_return refusal(id, wanted.error());
    }
    const auto endpoint = find_endpoint(request.endpoint);
    if (!endpoint) {
        co_return refusal(id, endpoint.error());
    }
    const Sha256Digest key =
        cache_key((*endpoint)->teacher.settings().base_url, (*endpoint)->model, request);
    const Result<LlmReply> cached = co_await from_cache(key, id);
    if (cached) {
        co_return *cached;
    }
    if (cached.error().code != ErrorCode::kNotFound) {
        co_return cached.error();
    }
    co_return co_await from_endpoint(*endpoint, std::move(request), key);
}

net::Task<LlmReply> LlmSession::from_cache(Sha256Digest key, std::int64_t id) {
    auto look = [&cache = with_.cache, key] { return cache.find(key); };
    CO_TRY(std::optional<LlmCacheEntry> entry, co_await net::run_on(with_.disk, std::move(look)));
    if (!entry) {
        co_return Error::not_found("nobody has asked this before");
    }
    const bool is_ours = entry->job_id == job_.job_id;
    const bool counts = is_ours && entry->fence != job_.fence;
    {
        const Lock lock(mutex_);
        ++usage_.from_cache;
        if (counts) {
            usage_.prompt_tokens += entry->reply.prompt_tokens;
            usage_.completion_tokens += entry->reply.completion_tokens;
            budget_.add_spent(Picodollars(entry->cost_picodollars));
        }
    }
    LlmReply reply = entry->reply;
    reply.id = id;
    reply.cost_usd = 0;
    reply.from_cache = true;
    if (counts) {
        // So that this attempt counts it once only.
        entry->fence = job_.fence;
        auto keep = [&cache = with_.cache, key, &entry] { return cache.keep(key, *entry); };
        const Status kept = co_await net::run_on(with_.disk, std::move(keep));
        if (!kept && kept.error().code == ErrorCode::kCancelled) {
            co_return kept.error();
        }
    }
    co_return reply;
}

net::Task<LlmReply> LlmSession::from_endpoint(
    const LlmEndpoint* endpoint, LlmRequest request, Sha256Digest key
) {
    const std::int64_t id = request.id;
    const Result<LlmOutcome> asked = co_await ask_all(endpoint, std::move(request));
    if (!asked) {
        if (asked.error().code == ErrorCode::kCancelled) {
            co_return asked.error();
        }
        co_return refusal(id, asked.error());
    }
    const LlmOutcome& outcome = *asked;
    {
        const Lock lock(mutex_);
        usage_.prompt_tokens += outcome.prompt_tokens;
        usage_.completion_tokens += outcome.completion_tokens;
    }
    if (outcome.error) {
        co_return refusal(id, *outcome.error);
    }
    LlmReply reply{
        .id = id,
        .choices = outcome.choices,
        .prompt_tokens = outcome.prompt_tokens,
        .completion_tokens = outcome.completion_tokens,
        .cost_usd = to_usd(outcome.cost),
    };
    const LlmCacheEntry entry{
        .reply = reply,
        .cost_picodollars = outcome.cost.value(),
        .job_id = job_.job_id,
        .fence = job_.fence,
    };
    auto keep = [&cache = with_.cache, key, &entry] { return cache.keep(key, entry); };
    const Status kept = co_await net::run_on(with_.disk, std::move(keep));
    if (!kept) {
        get_logger("worker").warning(
            "answer not cached", {{"job_id", job_.job_id}, {"error", kept.error().to_string()}}
        );
    }
    co_return reply;
}

/// Some endpoints give fewer answers at a time than they are asked for.
net::Task<LlmOutcome> LlmSession::ask_all(const LlmEndpoint* endpoint, LlmRequest request) {
    LlmOutcome all;
    while (static_cast<int>(all.choices.size()) < request.n) {
        LlmRequest rest = request;
        const auto got = static_cast<int>(all.choices.size());
        rest.n = request.n - got;
        if (rest.seed) {
            *rest.seed += static_cast<std::uint64_t>(got);
        }
        CO_TRY(LlmOutcome part, co_await ask_until_answered(endpoint, std::move(rest)));
        all.prompt_tokens += part.prompt_tokens;
        all.completion_tokens += part.completion_tokens;
        all.cost += part.cost;
        if (part.error) {
            all.error = std::move(part.error);
            break;
        }
        std::ranges::move(part.choices, std::back_inserter(all.choices));
    }
    if (static_cast<int>(all.choices.size()) > request.n) {
        all.choices.resize(static_cast<std::size_t>(request.n));
    }
    co_return all;
}

net::Task<LlmOutcome> LlmSession::ask_until_answered(
    const LlmEndpoint* endpoint, LlmRequest request
) {
    const TeacherSettings& teacher = endpoint->teacher.settings();
    const Picodollars worst = worst_cost(endpoint->teacher.prices(), request);
    Backoff backoff(policy_of(teacher), with_.random, with_.clock.steady_now());
    while (true) {
        CO_TRY_STATUS(job_.token.check());
        CO_TRY_STATUS(co_await reserve(worst));
        Reservation reservation(*this, worst);
        CO_TRY(
            LlmOutcome outcome,
            co_await endpoint->teacher.ask(endpoint->model, request, endpoint->key)
        );
        reservation.settle(outcome.cost);
        if (!outcome.error || !outcome.may_help_to_retry) {
            co_return outcome;
        }
        const auto pause = backoff.next_delay(outcome.error->code, with_.clock.steady_now());
        if (!pause) {
            co_return outcome;
        }
        get_logger("worker").info(
            "teacher is asked again",
            {{"job_id", job_.job_id},
             {"teacher", teacher.name},
             {"failures", backoff.failures()},
             {"error", outcome.error->to_string()}}
        );
        CO_TRY_STATUS(co_await net::sleep_for(*pause));
    }
}

net::Task<void> LlmSession::reserve(Picodollars worst) {
    constexpr std::chrono::seconds kLookAgain{1};
    net::Signal::Subscription settled = settled_.subscribe(std::string(kSettled));
    while (true) {
        CostBudget::Verdict verdict{};
        Picodollars spent;
        {
            const Lock lock(mutex_);
            verdict = budget_.reserve(worst);
            spent = budget_.spent();
        }
        if (verdict == CostBudget::Verdict::kReserved) {
            co_return ok();
        }
        if (verdict == CostBudget::Verdict::kRefused) {
            co_return Error::resource_exhausted(
                "the job has spent ${:.6f} of ${:.6f}, and this request could cost ${:.6f}",
                to_usd(spent),
                to_usd(job_.cap),
                to_usd(worst)
            )
                .at(protocol::kCostCapParam)
                .hint("raise max_cost_usd, or ask for fewer or shorter answers");
        }
        CO_TRY_STATUS(co_await settled.wait(kLookAgain));
        CO_TRY_STATUS(job_.token.check());
    }
}

void LlmSession::settle(Picodollars worst, Picodollars actual) {
    {
        const Lock lock(mutex_);
        budget_.settle(worst, actual);
    }
    settled_.notify(std::string(kSettled));
}

}  // namespace nexa::worker
