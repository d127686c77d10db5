// SPDX-License-Identifier: Apache-2.0
#include "accounts/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace nexa::accounts {

namespace {
/// What many small refills may lose to rounding: without it the moment of Retry-After is too early.
constexpr double kRounding = 1e-9;
/// The longest wait that is named; a slower bucket says it again.
constexpr double kWaitMax = 86'400;
}  // namespace

Rate Rate::of(double per_second) {
    return {.per_second = per_second, .burst = std::max(1.0, std::ceil(per_second))};
}

RateVerdict RateLimiter::take(std::string_view name, const Rate& rate) {
    const Lock lock(mutex_);
    Bucket& bucket = refilled(name, rate);
    RateVerdict verdict{.limit = static_cast<std::uint64_t>(rate.burst)};
    if (bucket.tokens + kRounding >= 1) {
        bucket.tokens = std::max(0.0, bucket.tokens - 1);
        verdict.remaining = static_cast<std::uint64_t>(bucket.tokens + kRounding);
        return verdict;
    }
    verdict.allowed = false;
    const double wait = std::min(kWaitMax, std::ceil((1 - bucket.tokens) / rate.per_second));
    verdict.retry_after = std::chrono::seconds(std::max(1LL, std::llround(wait)));
    return verdict;
}

void RateLimiter::give_back(std::string_view name, const Rate& rate) {
    const Lock lock(mutex_);
    Bucket& bucket = refilled(name, rate);
    bucket.tokens = std::min(rate.burst, bucket.tokens + 1);
}

RateLimiter::Bucket& RateLimiter::refilled(std::string_view name, const Rate& rate) {
    const auto now = clock_.steady_now();
    auto found = buckets_.find(std::string(name));
    if (found == buckets_.end()) {
        if (buckets_.size() >= buckets_max_) {
            buckets_.erase(newest_first_.back());
            newest_first_.pop_back();
        }
        newest_first_.emplace_front(name);
        const Bucket full{.tokens = rate.burst, .at = now, .place = newest_first_.begin()};
        return buckets_.emplace(name, full).first->second;
    }
    Bucket& bucket = found->second;
    newest_first_.splice(newest_first_.begin(), newest_first_, bucket.place);
    const std::chrono::duration<double> passed = now - bucket.at;
    bucket.tokens = std::min(rate.burst, bucket.tokens + passed.count() * rate.per_second);
    bucket.at = now;
    return bucket;
}

}  // namespace nexa::accounts
