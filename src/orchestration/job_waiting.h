// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "db/tx.h"
#include "orchestration/job_store.h"

namespace nexa::orchestration {

/// What a job asks of a worker.
struct JobNeeds {
    std::string pool = "default";
    int gpus = 0;
    std::int64_t memory_bytes = 0;
};

/// A worker as far as it matters to a job that waits. All its slots together are what it offers.
struct FleetWorker {
    std::string pool;
    std::string membership;  ///< pending, approved or cordoned
    bool draining = false;
    bool is_well = true;  ///< it says of itself that it can work
    bool lost = false;    ///< not heard of for kWorkerLostAfter
    int gpus = 0;
    std::int64_t memory_bytes = 0;
    std::int64_t held = 0;  ///< jobs
};

/// Where a job stands among those of its project in its pool.
struct QueuePlace {
    std::int64_t ahead = 0;
    std::int64_t running = 0;
    std::int64_t max_running = 0;
};

/// Who could take a job, and the one line that says what keeps it waiting; none if an idle worker
/// fits and nothing is before it.
struct Fit {
    std::int64_t fitting = 0;  ///< workers that are there, may take jobs and are large enough
    std::int64_t idle = 0;     ///< of these, without a job
    std::optional<std::string> blocked_by;
};

/// Pure. The line names the first thing that would have to change: workers that are there, of the
/// pool, large enough, allowed; then the project's limit; then the queue.
Fit find_fit(const JobNeeds& needs, std::span<const FleetWorker> fleet, const QueuePlace& place);

/// Every worker that is not removed, up to 10,000.
Result<std::vector<FleetWorker>> read_fleet(db::Tx& tx);

/// Of a stored job, or of one that would be submitted now.
struct PlaceWish {
    std::string tenant_id;
    std::string pool;
    int priority = 0;
    std::optional<std::string> job_id;
};
Result<QueuePlace> read_place(db::Tx& tx, const PlaceWish& wish);

/// What a job waits for, in one line; none for one that runs or has ended. Reads the fleet once for
/// any number of jobs.
class WaitingReasons {
public:
    explicit WaitingReasons(db::Tx& tx) : tx_(tx) {}
    Result<std::optional<std::string>> of(const Job& job);

private:
    db::Tx& tx_;
    std::optional<std::vector<FleetWorker>> fleet_;
};

}  // namespace nexa::orchestration
