// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_waiting.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/json.h"
#include "orchestration/orchestration_sql.h"
#include "orchestration/worker_store.h"
#include "protocol/worker_messages.h"

namespace nexa::orchestration {

namespace {

constexpr int kFleetMax = 10'000;
using Workers = std::vector<const FleetWorker*>;

template <class Keep>
Workers those(const Workers& workers, Keep keep) {
    Workers kept;
    std::ranges::copy_if(workers, std::back_inserter(kept), [&](const FleetWorker* worker) {
        return keep(*worker);
    });
    return kept;
}

std::string counted(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string wrong_pool(const JobNeeds& needs, const Workers& present) {
    std::set<std::string_view> pools;
    for (const FleetWorker* worker : present) {
        pools.insert(worker->pool);
    }
    return fmt::format(
        "no worker of pool '{}' is connected; there are workers of {}",
        needs.pool,
        fmt::join(pools, ", ")
    );
}

std::string too_small(const JobNeeds& needs, const Workers& workers) {
    int gpus = 0;
    std::int64_t memory = 0;
    for (const FleetWorker* worker : workers) {
        gpus = std::max(gpus, worker->gpus);
        memory = std::max(memory, worker->memory_bytes);
    }
    if (gpus < needs.gpus) {
        return fmt::format(
            "it needs {} GPUs; the largest worker of pool '{}' has {}", needs.gpus, needs.pool, gpus
        );
    }
    if (memory < needs.memory_bytes) {
        return fmt::format(
            "it needs {} bytes of memory; the largest worker of pool '{}' has {}",
            needs.memory_bytes,
            needs.pool,
            memory
        );
    }
    return fmt::format(
        "no worker of pool '{}' has both {} GPUs and {} bytes of memory",
        needs.pool,
        needs.gpus,
        needs.memory_bytes
    );
}

std::string not_allowed(const Workers& workers) {
    const auto count = [&](auto is) { return those(workers, is).size(); };
    const std::size_t pending =
        count([](const FleetWorker& w) { return w.membership == "pending"; });
    const std::size_t cordoned =
        count([](const FleetWorker& w) { return w.membership == "cordoned"; });
    const std::size_t draining =
        count([](const FleetWorker& w) { return w.membership == "approved" && w.draining; });
    return fmt::format(
        "none of the {} that would fit takes jobs: {} wait for approval, {} cordoned, {} draining, "
        "{} not well",
        counted(workers.size(), "worker"),
        pending,
        cordoned,
        draining,
        workers.size() - pending - cordoned - draining
    );
}

}  // namespace

Fit find_fit(const JobNeeds& needs, std::span<const FleetWorker> fleet, const QueuePlace& place) {
    Workers all;
    for (const FleetWorker& worker : fleet) {
        all.push_back(&worker);
    }
    const Workers present = those(all, [](const FleetWorker& w) { return !w.lost; });
    if (present.empty()) {
        return {
            .blocked_by = all.empty() ? "no worker has registered"
                                      : fmt::format(
                                            "none of {} has been heard of for {} s",
                                            counted(all.size(), "worker"),
                                            kWorkerLostAfter.count()
                                        )
        };
    }
    const Workers of_pool =
        those(present, [&](const FleetWorker& w) { return w.pool == needs.pool; });
    if (of_pool.empty()) {
        return {.blocked_by = wrong_pool(needs, present)};
    }
    const Workers large = those(of_pool, [&](const FleetWorker& w) {
        return w.gpus >= needs.gpus && w.memory_bytes >= needs.memory_bytes;
    });
    if (large.empty()) {
        return {.blocked_by = too_small(needs, of_pool)};
    }
    const Workers fitting = those(large, [](const FleetWorker& w) {
        return w.membership == "approved" && !w.draining && w.is_well;
    });
    if (fitting.empty()) {
        return {.blocked_by = not_allowed(large)};
    }
    const Workers idle = those(fitting, [](const FleetWorker& w) { return w.held == 0; });
    Fit fit{
        .fitting = static_cast<std::int64_t>(fitting.size()),
        .idle = static_cast<std::int64_t>(idle.size()),
    };
    if (place.running >= place.max_running) {
        fit.blocked_by = fmt::format(
            "the project runs {} jobs, and may run {} at once", place.running, place.max_running
        );
    } else if (idle.empty() || place.ahead > 0) {
        fit.blocked_by = fmt::format(
            "{} of this project before it; {} of {} that fit {} without a job",
            counted(static_cast<std::size_t>(place.ahead), "job"),
            idle.size(),
            counted(fitting.size(), "worker"),
            idle.size() == 1 ? "is" : "are"
        );
    }
    return fit;
}

Result<std::vector<FleetWorker>> read_fleet(db::Tx& tx) {
    TRY(const auto rows, tx.query(sql::kListFleet, {{"limit", kFleetMax}}));
    std::vector<FleetWorker> fleet;
    fleet.reserve(rows.size());
    for (const db::Row& row : rows) {
        TRY(const auto profile,
            from_json<protocol::HardwareProfile>(
                row.text("profile"), {.unknown_keys = UnknownKeys::kIgnore}
            ));
        fleet.push_back({
            .pool = row.text("pool"),
            .membership = row.text("membership"),
            .draining = row.int64("draining") != 0,
            .is_well = row.text("problems") == "[]",
            .lost = tx.now() - row.timestamp("last_seen_at") > kWorkerLostAfter,
            .gpus = profile.gpus,
            .memory_bytes = profile.memory_bytes,
            .held = row.int64("held"),
        });
    }
    return fleet;
}

Result<QueuePlace> read_place(db::Tx& tx, const PlaceWish& wish) {
    TRY(const auto row,
        tx.query_one(
            sql::kQueuePlace,
            {
                {"tenant_id", wish.tenant_id},
                {"pool", wish.pool},
                {"priority", wish.priority},
                {"job_id", wish.job_id},
            }
        ));
    NEXA_CHECK(row.has_value());                   // a SELECT of three counts is one row
    constexpr std::int64_t kOfANewProject = 1000;  // its row comes with its first job
    return QueuePlace{
        .ahead = row->int64("ahead"),
        .running = row->int64("running"),
        .max_running = row->optional_int64("max_running").value_or(kOfANewProject),
    };
}

Result<std::optional<std::string>> WaitingReasons::of(const Job& job) {
    if (job.state == "activating") {
        return std::optional<std::string>("it waits for a gateway of its region to serve it");
    }
    if (job.status == protocol::JobStatus::kAssigned) {
        return std::optional(fmt::format("worker {} stages its inputs", job.worker_id.value_or(""))
        );
    }
    if (job.state == "scheduled") {
        return std::optional(fmt::format(
            "attempt {} failed; the next one starts after {}", job.attempt, to_rfc3339(job.run_at)
        ));
    }
    if (job.state != "ready") {
        return std::nullopt;
    }
    if (!fleet_) {
        TRY(fleet_, read_fleet(tx_));
    }
    const PlaceWish wish{
        .tenant_id = job.tenant_id,
        .pool = job.pool,
        .priority = job.priority,
        .job_id = job.job_id.text(),
    };
    TRY(const QueuePlace place, read_place(tx_, wish));
    const JobNeeds needs{.pool = job.pool, .gpus = job.gpus, .memory_bytes = job.memory_bytes};
    auto reason = find_fit(needs, *fleet_, place).blocked_by;
    return reason ? std::move(reason) : std::optional<std::string>("a worker is about to take it");
}

}  // namespace nexa::orchestration
