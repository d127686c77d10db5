// SPDX-License-Identifier: Apache-2.0
#include "orchestration/leases.h"

#include <algorithm>
#include <map>

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration {

namespace {

Result<JobId> job_id_of(const db::Row& row) {
    return JobId::parse(row.text("id"));
}

Status end(db::Tx& tx, const JobId& job_id, std::int64_t fence, std::string_view outcome) {
    TRY_STATUS(
        tx.execute(sql::kEndLease, {{"job_id", job_id}, {"fence", fence}, {"outcome", outcome}})
    );
    return {};
}

/// Closes the leases whose jobs a statement has just moved on; `rows`: what it returned of them.
Result<std::vector<EndedLease>> close_leases(
    db::Tx& tx, const std::vector<db::Row>& rows, std::string_view outcome
) {
    std::vector<EndedLease> ended;
    for (const db::Row& row : rows) {
        TRY(JobId job_id, job_id_of(row));
        TRY_STATUS(end(tx, job_id, row.int64("fence"), outcome));
        ended.push_back({
            .job_id = std::move(job_id),
            .tenant_id = row.text("tenant_id"),
            .job_type = row.text("job_type"),
            .state = row.text("state"),
            .fence = row.int64("fence"),
        });
    }
    return ended;
}

}  // namespace

Error lease_lost(const LeaseRef& lease) {
    return Error::conflict(
        "lease lost: job {} is no longer held by {} with fence {}",
        lease.job_id.text(),
        lease.worker_id,
        lease.fence
    );
}

Result<EndedLease> close_lease(
    db::Tx& tx, const LeaseRef& lease, const std::optional<db::Row>& row, std::string_view outcome
) {
    if (!row) {
        return lease_lost(lease);
    }
    EndedLease ended{
        .job_id = lease.job_id,
        .tenant_id = row->text("tenant_id"),
        .job_type = row->text("job_type"),
        .state = row->text("state"),
        .fence = lease.fence,
    };
    if (outcome.empty()) {
        outcome = ended.state == "cancelled" ? "cancelled" : "failed";
    }
    TRY_STATUS(end(tx, lease.job_id, lease.fence, outcome));
    return ended;
}

Result<std::vector<Lease>> Leases::claim(db::Tx& tx, const WorkerOffer& offer) const {
    TRY(auto rows,
        tx.query(
            sql::kClaim,
            {
                {"pool", offer.pool},
                {"slots", offer.slots},
                {"gpus", offer.gpus},
                {"memory_bytes", offer.memory_bytes},
                {"worker_id", offer.worker_id},
                {"lease_us", options_.lease.count()},
            }
        ));
    // RETURNING gives rows in storage order.
    std::ranges::sort(rows, {}, [](const db::Row& row) {
        return std::pair(row.int64("rank"), row.text("id"));
    });

    std::vector<Lease> leases;
    std::map<std::string, std::int64_t> granted;
    for (const db::Row& row : rows) {
        TRY(JobId job_id, job_id_of(row));
        Lease lease{
            .ref =
                {.job_id = std::move(job_id),
                 .worker_id = offer.worker_id,
                 .fence = row.int64("fence")},
            .tenant_id = row.text("tenant_id"),
            .job_type = row.text("job_type"),
            .attempt = static_cast<int>(row.int64("attempt")),
            .until = row.timestamp("lease_until"),
        };
        TRY_STATUS(tx.execute(
            sql::kRecordLease,
            {
                {"job_id", lease.ref.job_id},
                {"fence", lease.ref.fence},
                {"worker_id", offer.worker_id},
            }
        ));
        ++granted[lease.tenant_id];
        leases.push_back(std::move(lease));
    }
    for (const auto& [tenant_id, count] : granted) {
        TRY_STATUS(tx.execute(sql::kChargeTenant, {{"tenant_id", tenant_id}, {"leases", count}}));
    }
    return leases;
}

Result<std::vector<EndedLease>> Leases::expire(db::Tx& tx) const {
    TRY_STATUS(tx.query(sql::kPromote, {{"limit", options_.expire_batch}}));
    TRY(const auto rows, tx.query(sql::kExpire, {{"limit", options_.expire_batch}}));
    return close_leases(tx, rows, "lost");
}

Result<std::vector<EndedLease>> Leases::take_from(db::Tx& tx, const std::string& worker_id) {
    TRY(const auto rows, tx.query(sql::kTakeFromWorker, {{"worker_id", worker_id}}));
    return close_leases(tx, rows, "returned");
}

Result<Renewal> Leases::renew(db::Tx& tx, const LeaseRef& lease, bool started) const {
    TRY(const auto row,
        tx.query_one(
            sql::kRenew,
            {
                {"job_id", lease.job_id},
                {"worker_id", lease.worker_id},
                {"fence", lease.fence},
                {"lease_us", options_.lease.count()},
                {"started", started},
            }
        ));
    if (!row) {
        return lease_lost(lease);
    }
    return Renewal{
        .cancel_requested = row->int64("cancel_requested") != 0,
        .until = row->timestamp("lease_until")
    };
}

Result<std::int64_t> Leases::take_events(
    db::Tx& tx, const LeaseRef& lease, std::int64_t first, std::int64_t count
) const {
    if (first <= 0 || count <= 0) {
        return 0;
    }
    TRY(const auto row,
        tx.query_one(sql::kEventsTaken, {{"job_id", lease.job_id}, {"fence", lease.fence}}));
    if (!row) {
        return lease_lost(lease);
    }
    TRY_STATUS(tx.execute(
        sql::kTakeEvents,
        {
            {"job_id", lease.job_id},
            {"fence", lease.fence},
            {"last", first + count - 1},
        }
    ));
    return std::clamp<std::int64_t>(row->int64("events_taken") - first + 1, 0, count);
}

Result<EndedLease> Leases::complete(db::Tx& tx, const LeaseRef& lease) const {
    TRY(const auto row,
        tx.query_one(
            sql::kComplete,
            {
                {"job_id", lease.job_id},
                {"worker_id", lease.worker_id},
                {"fence", lease.fence},
            }
        ));
    return close_lease(tx, lease, row, "completed");
}

Result<EndedLease> Leases::fail(db::Tx& tx, const LeaseRef& lease, const Failure& failure) const {
    TRY(const auto row,
        tx.query_one(
            sql::kFail,
            {
                {"job_id", lease.job_id},
                {"worker_id", lease.worker_id},
                {"fence", lease.fence},
                {"retryable", failure.retryable},
                {"cancelled", failure.cancelled},
                {"backoff_us", failure.backoff.count()},
            }
        ));
    return close_lease(tx, lease, row);
}

Result<EndedLease> Leases::hand_back(db::Tx& tx, const LeaseRef& lease) const {
    TRY(const auto row,
        tx.query_one(
            sql::kHandBack,
            {
                {"job_id", lease.job_id},
                {"worker_id", lease.worker_id},
                {"fence", lease.fence},
            }
        ));
    return close_lease(tx, lease, row, "returned");
}

}  // namespace nexa::orchestration
