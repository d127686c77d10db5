// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "core/result.h"
#include "db/tx.h"

namespace nexa::orchestration {

/// A worker that polls is heard of every few seconds; after this long without it is lost.
inline constexpr std::chrono::seconds kWorkerLostAfter{90};

/// A worker as registered. Membership (may it have jobs) and liveness (is it there) are two things:
/// liveness follows from last_seen_at.
struct Worker {
    std::string worker_id;
    std::string public_key;  ///< Ed25519, base64
    std::string tenant_id;
    std::string name;
    JsonText profile;
    std::string pool;
    std::string membership;  ///< pending, approved, cordoned, revoked
    bool draining = false;
    JsonText problems;  ///< JSON array of protocol::HealthProblem
    JsonText jobs;      ///< JSON array of what it holds; only in a list
    Timestamp registered_at;
    Timestamp last_seen_at;

    bool is_well() const { return problems.text == "[]"; }
    /// Whether it may be given jobs.
    bool takes_jobs() const { return membership == "approved" && !draining && is_well(); }
};

/// What a worker says of itself; what is unset stays.
struct WorkerBeat {
    std::optional<bool> draining;
    std::optional<JsonText> problems;
};

struct NewWorker {
    std::string worker_id;
    std::string public_key;
    std::string tenant_id;
    std::string name;
    JsonText profile;
    std::string pool;
};

/// Under what a poll waits that may be given no job now: orders for its worker. No pool has such a
/// name.
inline std::string order_key(const std::string& worker_id) {
    return "\n" + worker_id;
}

/// Workers as rows. Every call is inside a transaction; the writing ones in the writer's.
namespace worker_store {

/// The same key registers the same worker again and gets its old id. Errors: kConflict if the id is
/// another key's; kPermissionDenied if the key was revoked or belongs to another project.
Result<Worker> add(db::Tx& tx, const NewWorker& worker);

/// Notes that the worker is there. Errors: kNotFound.
Result<Worker> see(db::Tx& tx, const std::string& worker_id, const WorkerBeat& beat = {});

/// Errors: kNotFound.
Result<Worker> get(db::Tx& tx, const std::string& worker_id);

/// What an operator wants of a worker.
struct WorkerOrder {
    std::optional<std::string> membership;
    std::optional<bool> draining;
};

/// Errors: kNotFound, also for another project's worker; kConflict if it was removed.
Status change(
    db::Tx& tx, const std::string& worker_id, const std::string& tenant_id, const WorkerOrder& order
);

/// Whose workers, and whose jobs are shown with them.
struct WorkerScope {
    std::string tenant_id;
    bool all_jobs = false;  ///< false: the tenant's own alone
};

/// By id.
Result<std::vector<Worker>> list(db::Tx& tx, const WorkerScope& scope, int limit);

/// One as list() gives it. Errors: kNotFound.
Result<Worker> find(db::Tx& tx, const WorkerScope& scope, const std::string& worker_id);

}  // namespace worker_store

}  // namespace nexa::orchestration
