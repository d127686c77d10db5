// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/result.h"
#include "db/tx.h"

namespace nexa::orchestration {

/// How much waits and who could take it, over all tenants. Every state and membership is there,
/// also at 0.
struct QueueCounts {
    std::map<std::string, std::int64_t> jobs;     ///< by queue state: ready, scheduled, leased
    std::map<std::string, std::int64_t> workers;  ///< by membership
};

/// Costs in proportion to the jobs that are not over and the workers.
Result<QueueCounts> count_queue(db::Tx& tx);

}  // namespace nexa::orchestration
