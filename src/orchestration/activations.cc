// SPDX-License-Identifier: Apache-2.0
#include "orchestration/activations.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

Result<EndedLease> Activations::begin(db::Tx& tx, const LeaseRef& lease) const {
    TRY(const auto row,
        tx.query_one(
            sql::kActivate,
            {
                {"job_id", lease.job_id},
                {"worker_id", lease.worker_id},
                {"fence", lease.fence},
                {"activation_us", options_.time},
            }
        ));
    const bool cancelled = row && row->text("state") == "cancelled";
    return close_lease(tx, lease, row, cancelled ? "cancelled" : "completed");
}

Result<bool> Activations::complete(db::Tx& tx, const JobId& job_id) const {
    TRY(const auto row, tx.query_one(sql::kActivated, {{"job_id", job_id}}));
    return row.has_value();
}

Result<bool> Activations::fail(db::Tx& tx, const JobId& job_id) const {
    TRY(const auto row, tx.query_one(sql::kFailActivation, {{"job_id", job_id}}));
    return row.has_value();
}

Result<std::vector<JobId>> Activations::expire(db::Tx& tx) const {
    TRY(const auto rows, tx.query(sql::kExpireActivations, {{"limit", options_.expire_batch}}));
    std::vector<JobId> ended;
    for (const db::Row& row : rows) {
        TRY(JobId job_id, JobId::parse(row.text("id")));
        ended.push_back(std::move(job_id));
    }
    return ended;
}

Status Activations::prolong(db::Tx& tx) const {
    TRY_STATUS(tx.execute(sql::kProlongActivations, {{"activation_us", options_.time}}));
    return {};
}

}  // namespace nexa::orchestration
