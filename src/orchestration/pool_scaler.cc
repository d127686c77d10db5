// SPDX-License-Identifier: Apache-2.0
#include "orchestration/pool_scaler.h"

#include <algorithm>
#include <utility>

#include "core/json_codec.h"

namespace nexa::orchestration {

NEXA_JSON_CODEC(ScalingPoolSettings);

namespace {

std::chrono::nanoseconds time_of(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds)
    );
}

}  // namespace

void PoolScaler::asked(int start, SteadyTime now) {
    starting_.insert(
        starting_.end(), static_cast<std::size_t>(start), now + time_of(settings_.start_seconds)
    );
}

/// How many of those that were asked for are still to come.
int PoolScaler::note_arrivals(const PoolFacts& facts, SteadyTime now) {
    std::set<std::string> there;
    std::ptrdiff_t arrived = 0;
    for (const PoolWorker& worker : facts.workers) {
        there.insert(worker.worker_id);
        arrived += known_.contains(worker.worker_id) ? 0 : 1;
        if (worker.jobs > 0) {
            idle_since_.erase(worker.worker_id);
        } else {
            idle_since_.try_emplace(worker.worker_id, now);
        }
    }
    known_ = std::move(there);
    std::erase_if(idle_since_, [this](const auto& idle) { return !known_.contains(idle.first); });
    const auto count = std::ssize(starting_);
    starting_.erase(starting_.begin(), starting_.begin() + std::min(arrived, count));
    std::erase_if(starting_, [now](SteadyTime until) { return until <= now; });
    return static_cast<int>(starting_.size());
}

ScalingDecision PoolScaler::decide(const PoolFacts& facts, SteadyTime now) {
    ScalingDecision decision{.starting = note_arrivals(facts, now)};
    int able = 0;  // those that are not well are there, but do nothing
    int paid = 0;  // a drained one without a job is as good as gone
    for (const PoolWorker& worker : facts.workers) {
        paid += worker.draining && worker.jobs == 0 ? 0 : 1;
        if (worker.draining) {
            continue;
        }
        able += worker.takes_jobs ? 1 : 0;
        decision.workers += 1;
        decision.idle += worker.jobs == 0 ? 1 : 0;
        decision.running_jobs += worker.jobs;
    }
    const std::int64_t demand = facts.waiting_jobs + decision.running_jobs;
    const std::int64_t needed = (demand + settings_.slots - 1) / settings_.slots;
    const int most = std::max(settings_.min_workers, settings_.max_workers);
    decision.wanted =
        static_cast<int>(std::clamp<std::int64_t>(needed, settings_.min_workers, most));

    const int missing = decision.wanted - able - decision.starting;
    const int room = most - paid - decision.starting;
    decision.start = std::max(0, std::min(missing, room));

    std::size_t spare = static_cast<std::size_t>(std::max(0, decision.workers - decision.wanted));
    std::vector<PoolWorker> idle;
    for (const PoolWorker& worker : facts.workers) {
        if (!worker.draining && worker.jobs == 0 &&
            now - idle_since_.at(worker.worker_id) >= time_of(settings_.idle_seconds)) {
            idle.push_back(worker);
        }
    }
    std::ranges::sort(idle, {}, [this](const PoolWorker& worker) {
        return std::pair(idle_since_.at(worker.worker_id), worker.worker_id);
    });
    idle.resize(std::min(idle.size(), spare));
    decision.drain = std::move(idle);
    return decision;
}

}  // namespace nexa::orchestration
