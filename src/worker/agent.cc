// SPDX-License-Identifier: Apache-2.0
#include "worker/agent.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/retry.h"
#include "worker/hardware.h"
#include "worker/leftovers.h"

namespace nexa::worker {

namespace {

using std::chrono::milliseconds;

/// The key under which the agent's own loops listen.
constexpr std::string_view kAgentSignal = "agent";

constexpr milliseconds kLookAgain{5'000};
constexpr milliseconds kAnswerOnItsWay{300};
constexpr std::chrono::seconds kHandBackTimeMax{20};
constexpr std::chrono::seconds kKillTimeMax{15};
constexpr int kSlotsAskedMax = 256;

/// A worker waits for its server, however long that takes to come back.
constexpr RetryPolicy kServerPolicy{
    .attempts = 1'000'000'000,
    .base = milliseconds(500),
    .cap = std::chrono::seconds(15),
    .total_max = std::chrono::hours(24 * 365),
    .retries = [](ErrorCode code) { return is_retryable(code) || code == ErrorCode::kInternal; },
};

Status check_engine(const std::filesystem::path& engine) {
    std::error_code failed;
    if (!std::filesystem::is_regular_file(engine, failed)) {
        return Error::not_found("there is no engine {}", engine.native())
            .hint("name it with --engine");
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Agent>> Agent::open(
    AgentSettings settings, Collaborators with, Secret api_key
) {
    TRY_STATUS(check_engine(settings.engine));
    TRY(UniqueFd lock, lock_folders(settings.paths));
    TRY_STATUS(clear_leftovers(settings.paths));
    TRY(auto identity, Identity::open(settings.paths, with.random));
    TRY(auto cache, storage::BlobStore::open(settings.paths.worker()));
    TRY_STATUS(storage::BlobUploads(*cache, with.random).drop_idle(Timestamp::max()));
    std::unique_ptr<Agent> agent(
        new Agent(std::move(settings), with, std::move(api_key), std::move(identity))
    );
    agent->lock_ = std::move(lock);
    agent->cache_ = std::move(cache);
    agent->stager_.emplace(
        InputStager::Collaborators{
            .client = agent->client_,
            .cache = *agent->cache_,
            .disk = with.disk,
            .clock = with.clock,
            .random = with.random,
        },
        agent->settings_.inputs_bytes_max
    );
    return agent;
}

Agent::Agent(AgentSettings settings, Collaborators with, Secret api_key, Identity identity)
    : settings_(std::move(settings)),
      with_(with),
      run_settings_{
          .paths = settings_.paths,
          .engine = settings_.engine,
          .limits = settings_.limits,
          .cancel_grace = settings_.cancel_grace,
      },
      identity_(std::move(identity)),
      client_(with.http, settings_.server_url, std::move(api_key)),
      outbox_(settings_.paths.worker_outbox()),
      uploader_({.client = client_, .disk = with.disk, .clock = with.clock, .random = with.random}),
      sender_({
          .client = client_,
          .outbox = outbox_,
          .jobs = jobs_,
          .disk = with.disk,
          .signal = signal_,
          .clock = with.clock,
          .random = with.random,
      }),
      health_(
          {.client = client_, .disk = with.disk, .sandbox = with.sandbox, .clock = with.clock},
          {
              .limits = settings_.health,
              .folder = settings_.paths.worker(),
              .search_path = settings_.search_path,
              .pause = settings_.health_pause,
          }
      ),
      group_(with.io, [](std::string_view task, const Error& error) {
          get_logger("worker").error("task failed", {{"task", task}, {"error", error.to_string()}});
      }) {}

Agent::~Agent() {
    stop_jobs(StopReason::kLost);
    net::blocking::stop(with_.io, group_, kKillTimeMax);
}

void Agent::tell(std::atomic<bool>& flag) {
    flag = true;
    signal_.notify(std::string(kAgentSignal));
}

void Agent::drain() {
    tell(draining_);
}

void Agent::stop_now() {
    tell(stop_now_);
    tell(draining_);
}

net::Task<void> Agent::run() {
    CO_TRY_STATUS(co_await register_again());
    if (draining_) {
        co_return ok();
    }
    reporter_.emplace(
        Reporter::Collaborators{
            .client = client_,
            .jobs = jobs_,
            .disk = with_.disk,
            .signal = signal_,
            .clock = with_.clock
        },
        identity_.worker_id()
    );
    CO_TRY_STATUS(group_.spawn("report", reporter_->run()));
    CO_TRY_STATUS(group_.spawn("health", health_.run([this] { has_more_gpus_ = true; })));
    CO_TRY_STATUS(group_.spawn("send leftovers", sender_.send_leftovers()));
    net::Signal::Subscription changes = signal_.subscribe(std::string(kAgentSignal));
    CO_TRY(const net::TaskHandle poller, group_.spawn("poll", take_jobs_until_ended()));
    while (!draining_ && !polling_ended_) {
        CO_TRY_STATUS(co_await changes.wait(kLookAgain));
    }
    if (!polling_ended_) {
        CO_TRY_STATUS(co_await stop_polling(poller));
    }
    Status status;
    {
        const Lock lock(mutex_);
        status = poll_status_;
    }
    CO_TRY_STATUS(co_await wind_down(!status));
    CO_TRY_STATUS(co_await group_.stop());
    co_return status;
}

net::Task<protocol::HardwareProfile> Agent::read_profile() {
    auto read = [this] {
        const bool asks = settings_.health.gpus != 0;
        return read_hardware(
            settings_.paths.worker(), asks ? ask_gpus(settings_.search_path) : GpuAnswer{}
        );
    };
    CO_TRY(protocol::HardwareProfile profile, co_await net::run_on(with_.disk, std::move(read)));
    profile.sandboxes = {std::string(sandbox::to_string(with_.sandbox.kind()))};
    profile.slots = settings_.slots;
    co_return profile;
}

net::Task<void> Agent::register_again() {
    CO_TRY_STATUS(co_await register_worker());
    if (draining_) {
        co_return ok();
    }
    // The registration began with a clean bill of health.
    const Status told = co_await health_.look();
    if (!told) {
        get_logger("worker").warning("health not told", {{"error", told.error().to_string()}});
    }
    co_return ok();
}

net::Task<void> Agent::register_worker() {
    net::Signal::Subscription changes = signal_.subscribe(std::string(kAgentSignal));
    Backoff backoff(kServerPolicy, with_.random, with_.clock.steady_now());
    CO_TRY(const protocol::HardwareProfile profile, co_await read_profile());
    run_settings_.threads = std::max(1, profile.cpus / settings_.slots);
    gpus_per_slot_ = profile.gpus / settings_.slots;
    while (!draining_) {
        const auto request =
            identity_.registration(settings_.name, settings_.pool, profile, with_.clock.now());
        const Result<protocol::RegisterReply> reply = co_await client_.register_worker(request);
        if (reply) {
            CO_TRY_STATUS(co_await net::run_on(with_.disk, [this, &reply] {
                return identity_.accept(*reply);
            }));
            health_.registered(reply->worker_id, profile.gpus);
            get_logger("worker").info(
                "registered",
                {{"worker_id", reply->worker_id},
                 {"status", reply->status},
                 {"pool", settings_.pool}}
            );
            co_return ok();
        }
        const auto pause = backoff.next_delay(reply.error().code, with_.clock.steady_now());
        if (!pause) {
            co_return Error(reply.error())
                .while_doing(fmt::format("register at {}", settings_.server_url));
        }
        get_logger("worker").warning(
            "not registered yet",
            {{"server", settings_.server_url}, {"error", reply.error().to_string()}}
        );
        CO_TRY_STATUS(co_await changes.wait(*pause));
    }
    co_return ok();
}

net::Task<void> Agent::take_jobs_until_ended() {
    Status status = co_await net::guarded(take_jobs());
    {
        const Lock lock(mutex_);
        poll_status_ = draining_ ? ok() : status;
    }
    tell(polling_ended_);
    co_return ok();
}

net::Task<void> Agent::take_jobs() {
    net::Signal::Subscription changes = signal_.subscribe(std::string(kAgentSignal));
    std::optional<Backoff> backoff;
    while (!draining_) {
        if (has_more_gpus_.exchange(false)) {
            CO_TRY_STATUS(co_await register_again());
        }
        const int free = std::min(settings_.slots - static_cast<int>(jobs_.size()), kSlotsAskedMax);
        if (free <= 0) {
            CO_TRY_STATUS(co_await changes.wait(kLookAgain));
            continue;
        }
        Result<protocol::NextJobReply> reply = co_await poll(free);
        if (reply) {
            backoff.reset();
            const SteadyTime received_at = with_.clock.steady_now();
            for (protocol::LeasedJob& lease : reply->jobs) {
                start(std::move(lease), received_at);
            }
            if (reply->drain) {
                get_logger("worker").info("told to drain");
                drain();
            }
            continue;
        }
        if (reply.error().code == ErrorCode::kNotFound) {
            CO_TRY_STATUS(co_await register_again());  // the server has lost its memory
            continue;
        }
        if (!backoff) {
            backoff.emplace(kServerPolicy, with_.random, with_.clock.steady_now());
        }
        const auto pause = backoff->next_delay(reply.error().code, with_.clock.steady_now());
        if (!pause) {
            co_return Error(reply.error()).while_doing("ask for jobs");
        }
        get_logger("worker").warning(
            "no answer to the poll", {{"error", reply.error().to_string()}}
        );
        CO_TRY_STATUS(co_await changes.wait(*pause));
    }
    co_return ok();
}

net::Task<protocol::NextJobReply> Agent::poll(int slots) {
    return client_.next_job({
        .worker_id = identity_.worker_id(),
        .slots = slots,
        .wait_seconds = static_cast<double>(settings_.poll_wait.count()),
        .gpus = gpus_per_slot_,
    });
}

void Agent::start(protocol::LeasedJob lease, SteadyTime received_at) {
    const Logger log =
        get_logger("worker").with({{"job_id", lease.job_id}, {"fence", lease.fence}});
    constexpr double kLeaseSecondsMax = 86'400;
    const std::chrono::duration<double> seconds(
        std::clamp(lease.lease_seconds, 0.0, kLeaseSecondsMax)
    );
    const LeaseId id{.job_id = lease.job_id, .fence = lease.fence};
    const LeaseWatch watch(std::chrono::duration_cast<milliseconds>(seconds), received_at);
    auto job = HeldJob::make(id, watch, signal_);
    // What cannot be held is left to run out: the server gives it to somebody else.
    if (!JobId::parse(lease.job_id) || lease.fence < 0 || jobs_.has(id.text()) || !job) {
        log.error(
            "lease cannot be taken", {{"error", job ? "bad or known id" : job.error().message}}
        );
        return;
    }
    jobs_.add(*job);
    log.info("job leased", {{"lease_seconds", lease.lease_seconds}});
    const auto task = group_.spawn(id.text(), hold(*job, std::move(lease)));
    if (!task) {
        jobs_.remove(id);
    }
    signal_.notify(std::string(kReportSignal));
}

net::Task<void> Agent::hold(std::shared_ptr<HeldJob> job, protocol::LeasedJob lease) {
    NEXA_CHECK(stager_.has_value());
    JobRun run(
        {
            .clock = with_.clock,
            .identity = identity_,
            .stager = *stager_,
            .uploader = uploader_,
            .llm = with_.llm,
            .sender = sender_,
            .sandbox = with_.sandbox,
            .engines = with_.engines,
            .disk = with_.disk,
            .signal = signal_,
        },
        run_settings_,
        job,
        std::move(lease)
    );
    const Status ended = co_await run.run();
    if (job->is_lost()) {
        get_logger("worker").warning(
            "lease lost",
            {{"job_id", job->id().job_id}, {"by_server", job->stop_reason() == StopReason::kLost}}
        );
    }
    jobs_.remove(job->id());
    signal_.notify(std::string(kAgentSignal));
    co_return ended;
}

net::Task<void> Agent::stop_polling(net::TaskHandle poller) {
    get_logger("worker").info("draining", {{"jobs", jobs_.size()}});
    // So that the poll that waits at the server is given no job any more. One given before is on
    // its way.
    const auto told =
        co_await client_.heartbeat({.worker_id = identity_.worker_id(), .draining = true});
    if (told) {
        CO_TRY_STATUS(co_await net::sleep_for(kAnswerOnItsWay));
    }
    poller.cancel();
    net::Signal::Subscription changes = signal_.subscribe(std::string(kAgentSignal));
    while (!polling_ended_) {
        CO_TRY_STATUS(co_await changes.wait(kAnswerOnItsWay));
    }
    co_return ok();
}

net::Task<void> Agent::wind_down(bool is_refused) {
    if (!is_refused) {
        CO_TRY_STATUS(co_await wait_for_jobs(settings_.drain_time, true));
        stop_jobs(StopReason::kDrained);
        CO_TRY_STATUS(co_await wait_for_jobs(kHandBackTimeMax, false));
    }
    stop_jobs(StopReason::kFenced);
    co_return co_await wait_for_jobs(kKillTimeMax, false);
}

net::Task<void> Agent::wait_for_jobs(std::chrono::nanoseconds time_max, bool until_stop_now) {
    net::Signal::Subscription changes = signal_.subscribe(std::string(kAgentSignal));
    const SteadyTime until = with_.clock.steady_now() + time_max;
    while (jobs_.size() > 0 && !(until_stop_now && stop_now_)) {
        const SteadyTime now = with_.clock.steady_now();
        if (now >= until) {
            break;
        }
        CO_TRY_STATUS(co_await changes.wait(until - now));
    }
    co_return ok();
}

void Agent::stop_jobs(StopReason reason) {
    for (const auto& job : jobs_.all()) {
        job->stop(reason);
    }
}

}  // namespace nexa::worker
