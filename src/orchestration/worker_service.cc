// SPDX-License-Identifier: Apache-2.0
#include "orchestration/worker_service.h"

#include <chrono>

#include "core/json.h"
#include "core/json_codec.h"
#include "core/storage_paths.h"
#include "fleet/registration.h"

namespace nexa::orchestration {

namespace {

constexpr int kWorkersMax = 10'000;
/// A worker that polls is heard of every few seconds.
constexpr std::chrono::seconds kLostAfter{90};

std::string liveness_of(const Worker& worker, Timestamp now) {
    if (now - worker.last_seen_at > kLostAfter) {
        return "lost";
    }
    return worker.draining ? "draining" : "connected";
}

Result<protocol::WorkerView> to_view(const Worker& worker, Timestamp now) {
    TRY(auto profile,
        from_json<protocol::HardwareProfile>(
            worker.profile.text, {.unknown_keys = UnknownKeys::kIgnore}
        ));
    TRY(auto jobs, from_json<std::vector<std::string>>(worker.jobs.text));
    return protocol::WorkerView{
        .worker_id = worker.worker_id,
        .name = worker.name,
        .pool = worker.pool,
        .status = worker.membership,
        .liveness = liveness_of(worker, now),
        .profile = std::move(profile),
        .jobs = std::move(jobs),
        .registered_at = to_rfc3339(worker.registered_at),
        .last_seen_at = to_rfc3339(worker.last_seen_at),
    };
}

}  // namespace

net::Task<Worker> WorkerService::add(protocol::Envelope envelope, accounts::Principal principal) {
    CO_TRY(auto registration, fleet::open_registration(envelope, clock_.now()));
    if (registration.worker_id) {
        auto usable = check_path_id(*registration.worker_id);
        if (!usable) {
            co_return std::move(usable).error().at("worker_id");
        }
    }
    NewWorker worker{
        .worker_id = registration.worker_id.value_or(ids_.make<WorkerId>().text()),
        .public_key = registration.public_key,
        .tenant_id = std::move(principal.project_id),
        .name = std::move(registration.name),
        .profile = {to_json(registration.profile)},
        .pool = std::move(registration.pool),
    };
    auto apply = [worker = std::move(worker)](db::Tx& tx) { return worker_store::add(tx, worker); };
    co_return co_await backend_.write(std::move(apply));
}

net::Task<Worker> WorkerService::see(protocol::Heartbeat heartbeat, accounts::Principal principal) {
    auto apply = [heartbeat = std::move(heartbeat),
                  tenant_id = std::move(principal.project_id)](db::Tx& tx) -> Result<Worker> {
        TRY(const Worker known, worker_store::get(tx, heartbeat.worker_id));
        if (known.tenant_id != tenant_id) {
            return Error::not_found("there is no worker {}", heartbeat.worker_id).at("worker_id");
        }
        return worker_store::see(tx, heartbeat.worker_id, heartbeat.draining);
    };
    co_return co_await backend_.write(std::move(apply));
}

net::Task<std::vector<protocol::WorkerView>> WorkerService::list(accounts::Principal principal) {
    auto look_up = [tenant_id = std::move(principal.project_id)](db::Tx& tx
                   ) -> Result<std::vector<protocol::WorkerView>> {
        TRY(const auto workers, worker_store::list(tx, tenant_id, "", kWorkersMax));
        std::vector<protocol::WorkerView> views;
        views.reserve(workers.size());
        for (const Worker& worker : workers) {
            TRY(auto view, to_view(worker, tx.now()));
            views.push_back(std::move(view));
        }
        return views;
    };
    co_return co_await backend_.read(std::move(look_up));
}

}  // namespace nexa::orchestration
