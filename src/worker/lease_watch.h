// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

namespace nexa::worker {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Until when a lease surely is ours, by the monotonic clock: the decision to fence oneself. The
/// margin, a sixth of the lease and at most ten seconds, is what killing a job and a clock that
/// runs slow may take. A plain value.
class LeaseWatch {
public:
    /// `granted_at`: no later than the receipt of the grant.
    LeaseWatch(std::chrono::milliseconds lease, SteadyTime granted_at)
        : lease_(lease), held_since_(granted_at) {}

    /// A renewal that was asked for at `asked_at` has been confirmed. The server counts from a
    /// later moment, so counting from here errs on the safe side; an answer that comes out of order
    /// changes nothing.
    void renewed(SteadyTime asked_at) { held_since_ = std::max(held_since_, asked_at); }

    /// From then on nothing of the job may run.
    SteadyTime fence_at() const { return held_since_ + lease_ - margin(); }
    bool is_over(SteadyTime now) const { return now >= fence_at(); }
    std::chrono::milliseconds lease() const { return lease_; }

private:
    std::chrono::milliseconds margin() const {
        return std::min<std::chrono::milliseconds>(lease_ / 6, std::chrono::seconds(10));
    }

    std::chrono::milliseconds lease_;
    SteadyTime held_since_;
};

/// When to send the next report: a third of the lease after the last one, or at once when there is
/// news, but never two within kIntervalMin; after failures sooner than a third of a lease, each
/// time with a longer pause. Plain.
class ReportPace {
public:
    static constexpr std::chrono::milliseconds kIntervalMin{200};

    /// `shortest_lease`: of the jobs that are held.
    SteadyTime next_at(std::chrono::milliseconds shortest_lease, bool has_news) const;

    void sent(SteadyTime now) { last_ = now; }
    void succeeded() { failures_ = 0; }
    void failed() { ++failures_; }

private:
    SteadyTime last_{};
    int failures_ = 0;
};

}  // namespace nexa::worker
