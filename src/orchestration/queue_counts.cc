// SPDX-License-Identifier: Apache-2.0
#include "orchestration/queue_counts.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

Result<QueueCounts> count_queue(db::Tx& tx) {
    QueueCounts counts;
    TRY(const auto jobs, tx.query(sql::kCountLiveJobs));
    for (const db::Row& row : jobs) {
        counts.jobs[row.text("state")] = row.int64("jobs");
    }
    TRY(const auto workers, tx.query(sql::kCountWorkers));
    for (const db::Row& row : workers) {
        counts.workers[row.text("membership")] = row.int64("workers");
    }
    return counts;
}

}  // namespace nexa::orchestration
