// SPDX-License-Identifier: Apache-2.0
#include "orchestration/worker_service.h"

#include <chrono>

#include "accounts/scopes.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/storage_paths.h"
#include "fleet/registration.h"
#include "orchestration/result_intake.h"

namespace nexa::orchestration {

namespace {

constexpr int kWorkersMax = 10'000;

std::string liveness_of(const Worker& worker, Timestamp now) {
    if (now - worker.last_seen_at > kWorkerLostAfter) {
        return "lost";
    }
    if (worker.draining) {
        return "draining";
    }
    return worker.is_well() ? "connected" : "unhealthy";
}

worker_store::WorkerScope scope_of(const accounts::Principal& principal) {
    return {
        .tenant_id = principal.project_id,
        .all_jobs = accounts::allows(principal.scopes, "fleet:write"),
    };
}

Result<protocol::WorkerView> to_view(const Worker& worker, Timestamp now) {
    TRY(auto profile,
        from_json<protocol::HardwareProfile>(
            worker.profile.text, {.unknown_keys = UnknownKeys::kIgnore}
        ));
    TRY(auto problems,
        from_json<std::vector<protocol::HealthProblem>>(
            worker.problems.text, {.unknown_keys = UnknownKeys::kIgnore}
        ));
    TRY(auto jobs, from_json<std::vector<std::string>>(worker.jobs.text));
    return protocol::WorkerView{
        .worker_id = worker.worker_id,
        .name = worker.name,
        .pool = worker.pool,
        .status = worker.membership,
        .liveness = liveness_of(worker, now),
        .problems = std::move(problems),
        .profile = std::move(profile),
        .jobs = std::move(jobs),
        .registered_at = to_rfc3339(worker.registered_at),
        .last_seen_at = to_rfc3339(worker.last_seen_at),
    };
}

worker_store::WorkerOrder order_for(WorkerChange change) {
    switch (change) {
        case WorkerChange::kCordon:
            return {.membership = "cordoned"};
        case WorkerChange::kUncordon:
            return {.membership = "approved", .draining = false};
        case WorkerChange::kDrain:
            return {.draining = true};
        case WorkerChange::kRemove:
            return {.membership = "revoked"};
    }
    return {};
}

}  // namespace

net::Task<Worker> WorkerService::add(protocol::Envelope envelope, accounts::Principal principal) {
    CO_TRY(auto registration, fleet::open_registration(envelope, with_.clock.now()));
    if (registration.worker_id) {
        auto usable = check_path_id(*registration.worker_id);
        if (!usable) {
            co_return std::move(usable).error().at("worker_id");
        }
    }
    NewWorker worker{
        .worker_id = registration.worker_id.value_or(with_.ids.make<WorkerId>().text()),
        .public_key = registration.public_key,
        .tenant_id = std::move(principal.project_id),
        .name = std::move(registration.name),
        .profile = {to_json(registration.profile)},
        .pool = std::move(registration.pool),
    };
    auto apply = [worker = std::move(worker)](db::Tx& tx) { return worker_store::add(tx, worker); };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<Worker> WorkerService::see(protocol::Heartbeat heartbeat, accounts::Principal principal) {
    using Seen = std::pair<Worker, bool>;
    WorkerBeat beat{.draining = heartbeat.draining};
    if (heartbeat.problems) {
        beat.problems = JsonText{to_json(*heartbeat.problems)};
    }
    auto apply = [worker_id = std::move(heartbeat.worker_id),
                  beat = std::move(beat),
                  tenant_id = std::move(principal.project_id)](db::Tx& tx) -> Result<Seen> {
        TRY(const Worker known, worker_store::get(tx, worker_id));
        if (known.tenant_id != tenant_id) {
            return Error::not_found("there is no worker {}", worker_id).at("worker_id");
        }
        TRY(Worker worker, worker_store::see(tx, worker_id, beat));
        const bool is_back = !known.takes_jobs() && worker.takes_jobs();
        return Seen(std::move(worker), is_back);
    };
    CO_TRY(Seen seen, co_await with_.backend.write(std::move(apply)));
    if (seen.second) {
        with_.pool_signal.notify(order_key(seen.first.worker_id));
    }
    co_return std::move(seen.first);
}

net::Task<std::vector<protocol::WorkerView>> WorkerService::list(accounts::Principal principal) {
    auto look_up = [scope = scope_of(principal)](db::Tx& tx
                   ) -> Result<std::vector<protocol::WorkerView>> {
        TRY(const auto workers, worker_store::list(tx, scope, kWorkersMax));
        std::vector<protocol::WorkerView> views;
        views.reserve(workers.size());
        for (const Worker& worker : workers) {
            TRY(auto view, to_view(worker, tx.now()));
            views.push_back(std::move(view));
        }
        return views;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::WorkerView> WorkerService::get(
    std::string worker_id, accounts::Principal principal
) {
    auto look_up = [worker_id = std::move(worker_id),
                    scope = scope_of(principal)](db::Tx& tx) -> Result<protocol::WorkerView> {
        TRY(const Worker worker, worker_store::find(tx, scope, worker_id));
        return to_view(worker, tx.now());
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

net::Task<protocol::WorkerView> WorkerService::change(
    std::string worker_id, WorkerChange change, accounts::Principal principal
) {
    struct Changed {
        protocol::WorkerView view;
        std::vector<EndedLease> taken;
        WorkflowNews news;
    };
    auto apply = [worker_id = std::move(worker_id),
                  change,
                  scope = scope_of(principal),
                  &workflows = with_.workflows](db::Tx& tx) -> Result<Changed> {
        TRY_STATUS(worker_store::change(tx, worker_id, scope.tenant_id, order_for(change)));
        Changed changed;
        if (change == WorkerChange::kRemove) {
            TRY(changed.taken, take_from(tx, worker_id));
            // A job that was to be cancelled has ended with its worker.
            TRY(changed.news, workflows.advance(tx));
        }
        TRY(const Worker worker, worker_store::find(tx, scope, worker_id));
        TRY(changed.view, to_view(worker, tx.now()));
        return changed;
    };
    CO_TRY(Changed changed, co_await with_.backend.write(std::move(apply)));
    for (const EndedLease& lease : changed.taken) {
        with_.counters.ended(lease);
        with_.event_signal.notify(lease.job_id.text());
    }
    with_.workflows.tell(changed.news);
    with_.pool_signal.notify(changed.view.pool);
    with_.pool_signal.notify(order_key(changed.view.worker_id));
    co_return std::move(changed.view);
}

}  // namespace nexa::orchestration
