// SPDX-License-Identifier: Apache-2.0
#include "orchestration/fleet_scaler.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/json.h"
#include "core/utf8.h"
#include "orchestration/orchestration_sql.h"
#include "orchestration/scaling_hook.h"
#include "orchestration/worker_store.h"

namespace nexa::orchestration {

namespace {

using protocol::ScalingPoolView;
using std::chrono::microseconds;
using std::chrono::milliseconds;

milliseconds milliseconds_of(double seconds) {
    return std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds));
}

/// How long a pool stays ours without a look: a look, its call and the pause behind it.
microseconds hold_of(const ScalingPoolSettings& settings) {
    constexpr std::chrono::seconds kSlack{30};
    return milliseconds_of(settings.pause_seconds + settings.command_seconds) + kSlack;
}

Result<PoolFacts> read_facts(db::Tx& tx, const ScalingPoolSettings& settings) {
    constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;
    const std::int64_t memory_bytes =
        settings.memory_mib > 0 ? settings.memory_mib * kMebibyte : INT64_MAX;
    PoolFacts facts;
    TRY(const auto demand,
        tx.query_one(
            sql::kPoolDemand,
            {{"pool", settings.pool}, {"gpus", settings.gpus}, {"memory_bytes", memory_bytes}}
        ));
    facts.waiting_jobs = demand ? demand->int64("jobs") : 0;
    const auto lost_after = std::chrono::duration_cast<microseconds>(kWorkerLostAfter);
    TRY(const auto rows,
        tx.query(
            sql::kListPoolWorkers, {{"pool", settings.pool}, {"lost_after_us", lost_after.count()}}
        ));
    for (const db::Row& row : rows) {
        const Worker worker{
            .membership = row.text("membership"),
            .draining = row.int64("draining") != 0,
            .problems = {row.text("problems")},
        };
        facts.workers.push_back({
            .worker_id = row.text("id"),
            .tenant_id = row.text("tenant_id"),
            .name = row.text("name"),
            .jobs = row.int64("jobs"),
            .takes_jobs = worker.takes_jobs(),
            .draining = worker.draining,
        });
    }
    return facts;
}

/// Nothing if another coordinator has the pool.
Result<std::optional<PoolFacts>> take_pool(
    db::Tx& tx, const ScalingPoolSettings& settings, const std::string& holder
) {
    TRY(const auto taken,
        tx.query_one(
            sql::kTakeScaling,
            {{"pool", settings.pool}, {"holder", holder}, {"hold_us", hold_of(settings).count()}}
        ));
    if (!taken) {
        return std::optional<PoolFacts>();
    }
    TRY(PoolFacts facts, read_facts(tx, settings));
    return std::optional(std::move(facts));
}

}  // namespace

FleetScaler::FleetScaler(Collaborators with, FleetScalerOptions options)
    : with_(with),
      options_(std::move(options)),
      holder_(with_.ids.make<RequestId>().text()),
      commands_({.name = "scaling", .threads = std::max<std::size_t>(1, options_.pools.size())}) {
    for (const ScalingPoolSettings& settings : options_.pools) {
        pools_.push_back(std::make_unique<Pool>(settings));
    }
}

FleetScaler::~FleetScaler() {
    stop();
    commands_.stop();
}

Status FleetScaler::check(const std::vector<ScalingPoolSettings>& pools) {
    std::set<std::string> names;
    for (const ScalingPoolSettings& settings : pools) {
        if (!names.insert(settings.pool).second) {
            return Error::invalid_argument("pool '{}' is there twice", settings.pool).at("scaling");
        }
        if (settings.min_workers > settings.max_workers) {
            return Error::invalid_argument(
                       "pool '{}' has min_workers {} above max_workers {}",
                       settings.pool,
                       settings.min_workers,
                       settings.max_workers
            )
                .at("scaling");
        }
    }
    return {};
}

Status FleetScaler::start(net::TaskGroup& tasks) {
    for (std::size_t index = 0; index < pools_.size(); ++index) {
        TRY_STATUS(tasks.spawn("scale " + pools_[index]->scaler.settings().pool, watch(index)));
    }
    return {};
}

net::Task<void> FleetScaler::watch(std::size_t index) {
    const ScalingPoolSettings& settings = pools_[index]->scaler.settings();
    while (true) {
        const Status looked = co_await look(index);
        if (!looked) {
            if (looked.error().code == ErrorCode::kCancelled) {
                co_return looked;
            }
            log_.warning(
                "pool not scaled", {{"pool", settings.pool}, {"error", looked.error().to_string()}}
            );
        }
        CO_TRY_STATUS(co_await net::sleep_for(milliseconds_of(settings.pause_seconds)));
    }
}

net::Task<void> FleetScaler::look(std::size_t index) {
    Pool& pool = *pools_[index];
    const ScalingPoolSettings& settings = pool.scaler.settings();
    auto take = [settings, holder = holder_](db::Tx& tx) {
        return take_pool(tx, settings, holder);
    };
    CO_TRY(const auto facts, co_await with_.backend.write(std::move(take)));
    if (!facts) {
        co_return ok();
    }
    const ScalingDecision decision = pool.scaler.decide(*facts, with_.clock.steady_now());
    CO_TRY(const auto drained, co_await drain(decision.drain));
    const int gone = static_cast<int>(drained.size());
    pool.untold.insert(pool.untold.end(), drained.begin(), drained.end());
    ScalingPoolView view{
        .pool = settings.pool,
        .min_workers = settings.min_workers,
        .max_workers = settings.max_workers,
        .wanted = decision.wanted,
        .workers = decision.workers - gone,
        .idle = decision.idle - gone,
        .starting = decision.starting,
        .waiting_jobs = facts->waiting_jobs,
        .running_jobs = decision.running_jobs,
        .updated_at = to_rfc3339(with_.clock.now()),
    };
    if (decision.start > 0 || !pool.untold.empty()) {
        protocol::ScalingRequest request{
            .pool = settings.pool,
            .wanted = decision.wanted,
            .workers = view.workers,
            .starting = decision.starting,
            .start = decision.start,
            .drained = pool.untold,
            .requested_at = view.updated_at,
        };
        bool started = false;
        const int told = static_cast<int>(pool.untold.size());
        const Status called = co_await call(index, std::move(request), started);
        if (!called && called.error().code == ErrorCode::kCancelled) {
            co_return called;
        }
        // Machines that a command has started are on their way, whatever a webhook then says.
        if (started && decision.start > 0) {
            pool.scaler.asked(decision.start, with_.clock.steady_now());
            view.starting += decision.start;
        }
        if (called) {
            pool.untold.clear();
        }
        pool.last_call = protocol::ScalingCallView{
            .at = view.updated_at,
            .start = decision.start,
            .drained = told,
            .error = called ? "" : called.error().message,
        };
    }
    view.last_call = pool.last_call;
    co_return co_await keep(std::move(view));
}

net::Task<std::vector<protocol::DrainedWorker>> FleetScaler::drain(std::vector<PoolWorker> workers
) {
    std::vector<protocol::DrainedWorker> drained;
    if (workers.empty()) {
        co_return drained;
    }
    auto apply = [workers](db::Tx& tx) -> Result<std::vector<protocol::DrainedWorker>> {
        std::vector<protocol::DrainedWorker> changed;
        for (const PoolWorker& worker : workers) {
            TRY(const auto row,
                tx.query_one(sql::kDrainIdleWorker, {{"worker_id", worker.worker_id}}));
            if (row) {
                changed.push_back({.worker_id = worker.worker_id, .name = worker.name});
            }
        }
        return changed;
    };
    CO_TRY(drained, co_await with_.backend.write(std::move(apply)));
    for (const protocol::DrainedWorker& worker : drained) {
        log_.info("idle worker drained", {{"worker_id", worker.worker_id}, {"name", worker.name}});
        with_.pool_signal.notify(order_key(worker.worker_id));
    }
    co_return drained;
}

net::Task<void> FleetScaler::call(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): look() waits for it
    std::size_t index,
    protocol::ScalingRequest request,
    bool& started
) {
    const ScalingPoolSettings& settings = pools_[index]->scaler.settings();
    const std::string body = to_json(request);
    log_.info(
        "scaling",
        {{"pool", request.pool},
         {"wanted", request.wanted},
         {"start", request.start},
         {"drained", request.drained.size()}}
    );
    Status called;
    if (!settings.command.empty()) {
        called = co_await run_command(index, body);
        started = called.has_value();
    }
    if (called && !settings.webhook.empty()) {
        called = co_await post(index, body);
        started = started || called.has_value();
    }
    if (!called) {
        log_.warning(
            "scaling failed", {{"pool", request.pool}, {"error", called.error().to_string()}}
        );
    }
    co_return called;
}

net::Task<void> FleetScaler::run_command(std::size_t index, std::string body) {
    constexpr std::size_t kShownMax = 4'000;
    const ScalingPoolSettings& settings = pools_[index]->scaler.settings();
    const HookCommand command{
        .argv = settings.command,
        .environment = options_.environment,
        .folder = options_.folder,
        .time_max = milliseconds_of(settings.command_seconds),
    };
    auto run = [this, command, body = std::move(body)] {
        return blocking::run_hook(command, body, stopped_);
    };
    const Result<std::string> said = co_await net::run_on(commands_, std::move(run));
    if (!said) {
        co_return Error(said.error()).while_doing("run " + settings.command.front());
    }
    log_.info(
        "scaling command ended", {{"pool", settings.pool}, {"output", quotable(*said, kShownMax)}}
    );
    co_return ok();
}

net::Task<void> FleetScaler::post(std::size_t index, std::string body) {
    const ScalingPoolSettings& settings = pools_[index]->scaler.settings();
    const std::string id = with_.ids.make<RequestId>().text();
    const auto timestamp =
        std::chrono::floor<std::chrono::seconds>(with_.clock.now()).time_since_epoch().count();
    net::HttpRequest request{.method = net::Method::kPost, .url = settings.webhook};
    request.headers.add("Content-Type", "application/json");
    request.headers.add("webhook-id", id);
    request.headers.add("webhook-timestamp", std::to_string(timestamp));
    if (!settings.webhook_secret.empty()) {
        request.headers.add(
            "webhook-signature", webhook_signature(settings.webhook_secret, id, timestamp, body)
        );
    }
    request.body = std::move(body);
    request.total_time_max = milliseconds_of(settings.command_seconds);
    request.retry = net::RetryWhen::kNever;
    CO_TRY(const net::HttpResponse response, co_await with_.http.send(std::move(request)));
    if (!response.is_success()) {
        co_return Error::unavailable("the webhook answered with status {}", response.status);
    }
    co_return ok();
}

net::Task<void> FleetScaler::keep(ScalingPoolView view) {
    auto apply = [pool = view.pool, holder = holder_, text = to_json(view)](db::Tx& tx) -> Status {
        TRY_STATUS(
            tx.execute(sql::kSetScaling, {{"pool", pool}, {"holder", holder}, {"view", text}})
        );
        return {};
    };
    co_return co_await with_.backend.write(std::move(apply));
}

net::Task<std::vector<ScalingPoolView>> FleetScaler::list() {
    std::set<std::string> configured;
    for (const auto& pool : pools_) {
        configured.insert(pool->scaler.settings().pool);
    }
    auto look_up = [configured =
                        std::move(configured)](db::Tx& tx) -> Result<std::vector<ScalingPoolView>> {
        TRY(const auto rows, tx.query(sql::kListScaling));
        std::vector<ScalingPoolView> views;
        for (const db::Row& row : rows) {
            auto view = from_json<ScalingPoolView>(
                row.text("view"), {.unknown_keys = UnknownKeys::kIgnore}
            );
            if (view && configured.contains(view->pool)) {
                views.push_back(*std::move(view));
            }
        }
        return views;
    };
    co_return co_await with_.backend.read(std::move(look_up));
}

}  // namespace nexa::orchestration
