// SPDX-License-Identifier: Apache-2.0
#include "orchestration/worker_store.h"

#include "orchestration/orchestration_sql.h"

namespace nexa::orchestration::worker_store {

namespace {

Worker worker_from(const db::Row& row) {
    return {
        .worker_id = row.text("id"),
        .public_key = row.text("public_key"),
        .tenant_id = row.text("tenant_id"),
        .name = row.text("name"),
        .profile = {row.text("profile")},
        .pool = row.text("pool"),
        .membership = row.text("membership"),
        .draining = row.int64("draining") != 0,
        .problems = {row.text("problems")},
        .jobs = {"[]"},
        .registered_at = row.timestamp("registered_at"),
        .last_seen_at = row.timestamp("last_seen_at"),
    };
}

Error no_worker(const std::string& worker_id) {
    return Error::not_found("there is no worker {}", worker_id).at("worker_id");
}

Result<std::vector<Worker>> look_up(
    db::Tx& tx, const WorkerScope& scope, const std::optional<std::string>& worker_id, int limit
) {
    const auto jobs_of = scope.all_jobs ? std::nullopt : std::optional(scope.tenant_id);
    TRY(const auto rows,
        tx.query(
            sql::kListWorkers,
            {
                {"tenant_id", scope.tenant_id},
                {"worker_id", worker_id},
                {"jobs_of", jobs_of},
                {"limit", limit},
            }
        ));
    std::vector<Worker> workers;
    workers.reserve(rows.size());
    for (const db::Row& row : rows) {
        Worker worker = worker_from(row);
        worker.jobs = {row.text("jobs")};
        workers.push_back(std::move(worker));
    }
    return workers;
}

}  // namespace

Result<Worker> add(db::Tx& tx, const NewWorker& worker) {
    TRY(const auto holder, tx.query_one(sql::kGetWorker, {{"worker_id", worker.worker_id}}));
    if (holder && holder->text("public_key") != worker.public_key) {
        return Error::conflict("worker id {} belongs to another key", worker.worker_id)
            .at("worker_id")
            .hint("leave the id out to get a new one");
    }
    TRY(const auto row,
        tx.query_one(
            sql::kRegisterWorker,
            {
                {"worker_id", worker.worker_id},
                {"public_key", worker.public_key},
                {"tenant_id", worker.tenant_id},
                {"name", worker.name},
                {"profile", worker.profile.text},
                {"pool", worker.pool},
            }
        ));
    if (!row) {
        return Error::permission_denied(
                   "this worker key was revoked, or is registered with another project"
        )
            .at("public_key");
    }
    return get(tx, row->text("id"));
}

Result<Worker> see(db::Tx& tx, const std::string& worker_id, const WorkerBeat& beat) {
    const auto problems = beat.problems ? std::optional(beat.problems->text) : std::nullopt;
    TRY_STATUS(tx.query_one(
        sql::kSeeWorker,
        {{"worker_id", worker_id}, {"draining", beat.draining}, {"problems", problems}}
    ));
    return get(tx, worker_id);
}

Result<Worker> get(db::Tx& tx, const std::string& worker_id) {
    TRY(const auto row, tx.query_one(sql::kGetWorker, {{"worker_id", worker_id}}));
    if (!row) {
        return no_worker(worker_id).hint("register first");
    }
    return worker_from(*row);
}

Status change(
    db::Tx& tx, const std::string& worker_id, const std::string& tenant_id, const WorkerOrder& order
) {
    TRY(const auto row,
        tx.query_one(
            sql::kChangeWorker,
            {
                {"worker_id", worker_id},
                {"tenant_id", tenant_id},
                {"membership", order.membership},
                {"draining", order.draining},
            }
        ));
    if (row) {
        return {};
    }
    TRY_STATUS(find(tx, {.tenant_id = tenant_id}, worker_id));
    return Error::conflict("worker {} was removed for good", worker_id)
        .at("worker_id")
        .hint("a new one registers with a key of its own: start it in a new folder");
}

Result<std::vector<Worker>> list(db::Tx& tx, const WorkerScope& scope, int limit) {
    return look_up(tx, scope, std::nullopt, limit);
}

Result<Worker> find(db::Tx& tx, const WorkerScope& scope, const std::string& worker_id) {
    TRY(auto found, look_up(tx, scope, worker_id, 1));
    if (found.empty()) {
        return no_worker(worker_id);
    }
    return std::move(found.front());
}

}  // namespace nexa::orchestration::worker_store
