// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"
#include "core/mutex.h"

namespace nexa::accounts {

/// A bucket of `burst` requests that fills again by `per_second`. Both above zero.
struct Rate {
    double per_second = 1;
    double burst = 1;

    /// So many a second, all of them at once if they come so; at least one.
    static Rate of(double per_second);
};

struct RateVerdict {
    bool allowed = true;
    std::uint64_t limit = 0;              ///< the burst
    std::uint64_t remaining = 0;          ///< that would be allowed now
    std::chrono::seconds retry_after{0};  ///< until one would be; at least 1 if this one was not
};

/// Token buckets by name, in memory: each coordinator counts for itself. Thread-safe.
///
/// Remembers the `buckets_max` names that were used last; one that was pushed out starts full.
class RateLimiter {
public:
    explicit RateLimiter(const Clock& clock, std::size_t buckets_max = 100'000)
        : clock_(clock), buckets_max_(buckets_max) {}

    /// Takes one request out of `name`'s bucket if it holds one. The same name is always asked
    /// with the same rate; if the rate changes, the bucket is cut to the new burst.
    RateVerdict take(std::string_view name, const Rate& rate) NEXA_EXCLUDES(mutex_);
    /// Puts back what take() took, for what should not count after all.
    void give_back(std::string_view name, const Rate& rate) NEXA_EXCLUDES(mutex_);

private:
    struct Bucket {
        double tokens = 0;
        std::chrono::steady_clock::time_point at;
        std::list<std::string>::iterator place;
    };
    Bucket& refilled(std::string_view name, const Rate& rate) NEXA_REQUIRES(mutex_);

    const Clock& clock_;
    const std::size_t buckets_max_;
    Mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_ NEXA_GUARDED_BY(mutex_);
    std::list<std::string> newest_first_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::accounts
