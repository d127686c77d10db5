// SPDX-License-Identifier: Apache-2.0
//
// A load on a running nexad, all over HTTP with a key, each client with a kept connection of its
// own and results signed with Ed25519: control_plane_bench '{"mode": "complete", "url": …}' prints
// one JSON object. claims.py starts the server and says what is compared.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/fields.h"
#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/mutex.h"
#include "core/random.h"
#include "crypto/base64.h"
#include "crypto/dsse.h"
#include "crypto/ed25519.h"
#include "db/sqlite.h"
#include "db/writer.h"
#include "fleet/envelope.h"
#include "net/http_client.h"
#include "net/json_reply.h"
#include "protocol/echo_spec.h"
#include "protocol/job_views.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "protocol/worker_messages.h"

namespace nexa::control_plane_bench {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Setup {
    std::string mode;
    std::string url;
    std::string key_file;
    std::string folder;
    int clients = 1;
    int batch = 1;
    std::int64_t count = 1;
    double seconds = 1;
    double period = 15;

    static constexpr auto fields() {
        return std::tuple{
            field("mode", &Setup::mode, "What is done")
                .required()
                .one_of({"commit", "submit", "complete", "start", "beat", "list"}),
            field("url", &Setup::url, "Of the server"),
            field("key_file", &Setup::key_file, "Holds an API key"),
            field("folder", &Setup::folder, "commit: where the database is made"),
            field("clients", &Setup::clients, "Connections, each with a thread").within(1, 1024),
            field("batch", &Setup::batch, "complete: jobs taken and results sent at once")
                .within(1, 256),
            field("count", &Setup::count, "Of what is done; beat: workers").within(1, 100'000'000),
            field("seconds", &Setup::seconds, "beat: how long").unit("s"),
            field("period", &Setup::period, "beat: between two of one worker").unit("s"),
        };
    }
};

struct Figures {
    std::int64_t count = 0;
    std::int64_t refused = 0;
    double per_second = 0;
    double p50_ms = 0;
    double p99_ms = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("count", &Figures::count, "Done and accepted"),
            field("refused", &Figures::refused, "Answered with an error"),
            field("per_second", &Figures::per_second, "Done and accepted").unit("1/s"),
            field("p50_ms", &Figures::p50_ms, "Half took no longer").unit("ms"),
            field("p99_ms", &Figures::p99_ms, "All but one in a hundred took no longer").unit("ms"),
        };
    }
};

struct World {
    SystemClock clock;
    SystemRandom random;
    CancelSource never;
    SystemSleeper sleeper{never.token()};
};

/// One connection with a key.
class Peer {
public:
    Peer(const Setup& setup, std::string key, World& world)
        : url_(setup.url),
          key_(std::move(key)),
          client_({}, {.clock = world.clock, .random = world.random, .sleeper = world.sleeper}) {}

    Result<net::HttpResponse> send(net::Method method, std::string_view path, std::string body) {
        net::HttpRequest request{.method = method, .url = url_ + std::string(path)};
        request.headers.add("X-Nexa-Api-Key", key_);
        if (!body.empty()) {
            request.headers.add("Content-Type", "application/json");
            request.body = std::move(body);
        }
        request.retry = net::RetryWhen::kNever;
        TRY(auto response, client_.send(request));
        if (!response.is_success()) {
            return net::to_error(response);
        }
        return response;
    }

    template <class Reply, class Body>
    Result<Reply> post(std::string_view path, const Body& body) {
        TRY(const auto response, send(net::Method::kPost, path, to_json(body)));
        return net::read_json_reply<Reply>(response);
    }

private:
    std::string url_;
    std::string key_;
    net::blocking::HttpClient client_;
};

/// A worker that does nothing but take jobs and say that they are done.
class NoOpWorker {
public:
    static Result<NoOpWorker> join(Peer& peer, World& world) {
        NoOpWorker worker(crypto::Ed25519PrivateKey::generate(world.random));
        const protocol::WorkerRegistration wish{
            .public_key = worker.key_.public_key().to_base64(),
            .name = "load",
            .created_at = to_rfc3339(world.clock.now()),
        };
        TRY(const auto reply,
            peer.post<protocol::RegisterReply>(
                "/api/workers/register",
                fleet::to_message(
                    crypto::sign_dsse(protocol::kRegisterPayloadType, to_json(wish), worker.key_)
                )
            ));
        worker.id_ = reply.worker_id;
        return worker;
    }

    const std::string& id() const { return id_; }

    Result<std::vector<protocol::LeasedJob>> take(Peer& peer, int slots, double wait) const {
        TRY(auto reply,
            peer.post<protocol::NextJobReply>(
                "/api/workers/next_job",
                protocol::NextJobRequest{
                    .worker_id = id_,
                    .slots = slots,
                    .wait_seconds = wait,
                }
            ));
        return std::move(reply.jobs);
    }

    /// How many of them were accepted.
    Result<std::int64_t> complete(Peer& peer, const std::vector<protocol::LeasedJob>& jobs) const {
        protocol::CompleteRequest request;
        for (const protocol::LeasedJob& job : jobs) {
            const protocol::JobResult result{
                .job_id = job.job_id,
                .worker_id = id_,
                .fence = job.fence,
                .outcome = "completed",
                .result = JsonText{R"({"message":"done"})"},
                .usage = {.cpu_seconds = 0.001},
            };
            request.results.push_back(fleet::to_message(
                crypto::sign_dsse(protocol::kJobResultPayloadType, to_json(result), key_)
            ));
        }
        TRY(const auto reply, peer.post<protocol::CompleteReply>("/api/workers/complete", request));
        return std::ranges::count(reply.results, 200, &protocol::CompleteOutcome::status);
    }

private:
    explicit NoOpWorker(crypto::Ed25519PrivateKey key) : key_(std::move(key)) {}

    crypto::Ed25519PrivateKey key_;
    std::string id_;
};

/// How long each thing took, from all threads.
class Samples {
public:
    void add(Milliseconds took) {
        const Lock lock(mutex_);
        samples_.push_back(took.count());
    }
    /// The figures of what was done since `began`.
    Figures figures(std::chrono::duration<double> over, std::int64_t refused) {
        const Lock lock(mutex_);
        std::ranges::sort(samples_);
        return {
            .count = static_cast<std::int64_t>(samples_.size()),
            .refused = refused,
            .per_second = static_cast<double>(samples_.size()) / over.count(),
            .p50_ms = at(0.50),
            .p99_ms = at(0.99),
        };
    }

private:
    double at(double share) const NEXA_REQUIRES(mutex_) {
        if (samples_.empty()) {
            return 0;
        }
        const auto last = samples_.size() - 1;
        return samples_[std::min(
            last, static_cast<std::size_t>(share * static_cast<double>(last))
        )];
    }

    Mutex mutex_;
    std::vector<double> samples_ NEXA_GUARDED_BY(mutex_);
};

/// The load of one mode.
class Load {
public:
    explicit Load(Setup setup) : setup_(std::move(setup)) {}

    Result<Figures> run() {
        if (setup_.mode == "commit") {
            return commit();
        }
        TRY(key_, read_file(setup_.key_file, kKeyBytesMax));
        key_.erase(key_.find_last_not_of(" \r\n") + 1);
        if (setup_.mode == "submit") {
            return on_all([this](Peer& peer, int) { return submit(peer); });
        }
        if (setup_.mode == "list") {
            return on_all([this](Peer& peer, int) { return list(peer); });
        }
        if (setup_.mode == "complete") {
            return with_workers(setup_.clients, [this] {
                return on_all([this](Peer& peer, int client) { return complete(peer, client); });
            });
        }
        if (setup_.mode == "start") {
            return with_workers(setup_.clients, [this] { return start(); });
        }
        return with_workers(static_cast<int>(setup_.count), [this] {
            return on_all([this](Peer& peer, int client) { return beat(peer, client); });
        });
    }

private:
    static constexpr std::size_t kKeyBytesMax = 4096;

    /// Commits of one row each, one after the other: what the disk gives whoever waits for it.
    Result<Figures> commit() {
        const auto file = std::filesystem::path(setup_.folder) / "commits.db";
        TRY(const auto database, db::open_sqlite({.path = file}, world_.clock));
        constexpr db::Sql kCreate{
            .name = "bench/create",
            .sqlite = "CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, body TEXT)",
            .postgres = "",
        };
        constexpr db::Sql kInsert{
            .name = "bench/insert",
            .sqlite = "INSERT INTO row (body) VALUES (:body)",
            .postgres = "",
        };
        db::Writer writer(*database);
        TRY_STATUS(writer.run([&](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(kCreate, {}));
            return {};
        }));
        began_ = world_.clock.steady_now();
        for (std::int64_t i = 0; i < setup_.count; ++i) {
            const TimePoint at = world_.clock.steady_now();
            TRY_STATUS(writer.run([&](db::Tx& tx) -> Status {
                TRY_STATUS(tx.execute(kInsert, {{"body", "x"}}));
                return {};
            }));
            samples_.add(world_.clock.steady_now() - at);
        }
        return figures();
    }

    /// Runs `act` until everything is done, on a thread and a connection for each client.
    Result<Figures> on_all(const std::function<Status(Peer&, int)>& act) {
        std::vector<Status> ends(static_cast<std::size_t>(setup_.clients));
        began_ = world_.clock.steady_now();
        {
            std::vector<std::jthread> threads;
            for (int client = 0; client < setup_.clients; ++client) {
                threads.emplace_back([&, client] {
                    Peer peer(setup_, key_, world_);
                    ends[static_cast<std::size_t>(client)] = act(peer, client);
                });
            }
        }
        for (const Status& end : ends) {
            TRY_STATUS(end);
        }
        return figures();
    }

    /// Registers `count` workers first, which is not timed.
    Result<Figures> with_workers(int count, const std::function<Result<Figures>()>& then) {
        const int threads = std::min(count, 64);
        std::vector<std::vector<NoOpWorker>> made(static_cast<std::size_t>(threads));
        std::vector<Status> ends(made.size());
        {
            std::vector<std::jthread> joining;
            for (int t = 0; t < threads; ++t) {
                joining.emplace_back([&, t] {
                    const auto at = static_cast<std::size_t>(t);
                    ends[at] = register_some((count - t + threads - 1) / threads, made[at]);
                });
            }
        }
        for (const Status& end : ends) {
            TRY_STATUS(end);
        }
        for (std::vector<NoOpWorker>& some : made) {
            std::ranges::move(some, std::back_inserter(workers_));
        }
        return then();
    }

    Status register_some(int count, std::vector<NoOpWorker>& made) {
        Peer peer(setup_, key_, world_);
        for (int i = 0; i < count; ++i) {
            TRY(NoOpWorker worker, NoOpWorker::join(peer, world_));
            made.push_back(std::move(worker));
        }
        return {};
    }

    Status submit(Peer& peer) {
        for (std::int64_t i = next_++; i < setup_.count; i = next_++) {
            const TimePoint at = world_.clock.steady_now();
            const protocol::EchoSpec spec{.message = std::to_string(i), .events = 0};
            TRY_STATUS(peer.send(net::Method::kPost, "/api/jobs/echo", to_json(spec)));
            samples_.add(world_.clock.steady_now() - at);
        }
        return {};
    }

    /// Takes and completes until `count` results are accepted or nothing is left.
    Status complete(Peer& peer, int client) {
        const NoOpWorker& worker = workers_[static_cast<std::size_t>(client)];
        while (next_ < setup_.count) {
            const TimePoint at = world_.clock.steady_now();
            TRY(const auto jobs, worker.take(peer, setup_.batch, 0));
            if (jobs.empty()) {
                return {};
            }
            TRY(const std::int64_t accepted, worker.complete(peer, jobs));
            const auto took = world_.clock.steady_now() - at;
            next_ += accepted;
            refused_ += static_cast<std::int64_t>(jobs.size()) - accepted;
            for (std::int64_t i = 0; i < accepted; ++i) {
                samples_.add(took);
            }
        }
        return {};
    }

    /// From the moment a job is sent until a waiting worker has it. One job at a time.
    Result<Figures> start() {
        std::vector<TimePoint> sent(static_cast<std::size_t>(setup_.count));
        std::atomic<std::int64_t> started = 0;
        std::vector<Status> ends(workers_.size());
        began_ = world_.clock.steady_now();
        {
            std::vector<std::jthread> threads;
            for (std::size_t at = 0; at < workers_.size(); ++at) {
                threads.emplace_back([&, at] {
                    ends[at] = wait_for_jobs(workers_[at], sent, started);
                });
            }
            const Status all = send_one_by_one(sent, started);
            started = setup_.count;  // nobody waits for what was not sent
            TRY_STATUS(all);
        }
        for (const Status& end : ends) {
            TRY_STATUS(end);
        }
        return figures();
    }

    Status send_one_by_one(std::vector<TimePoint>& sent, const std::atomic<std::int64_t>& started) {
        Peer peer(setup_, key_, world_);
        for (std::size_t i = 0; i < sent.size(); ++i) {
            const protocol::EchoSpec spec{.message = std::to_string(i), .events = 0};
            sent[i] = world_.clock.steady_now();
            TRY_STATUS(peer.send(net::Method::kPost, "/api/jobs/echo", to_json(spec)));
            started.wait(static_cast<std::int64_t>(i));
        }
        return {};
    }

    Status wait_for_jobs(
        const NoOpWorker& worker,
        const std::vector<TimePoint>& sent,
        std::atomic<std::int64_t>& started
    ) {
        constexpr double kWait = 2;
        Peer peer(setup_, key_, world_);
        while (started < setup_.count) {
            TRY(const auto jobs, worker.take(peer, 1, kWait));
            const TimePoint now = world_.clock.steady_now();
            for (const protocol::LeasedJob& job : jobs) {
                TRY(const auto spec, crypto::from_base64(job.spec.payload));
                TRY(const auto read, from_json<protocol::JobSpec>(spec));
                TRY(const auto echo, from_json<protocol::EchoSpec>(read.payload.text));
                samples_.add(now - sent.at(std::stoul(echo.message)));
                ++started;
                started.notify_all();
            }
            if (!jobs.empty()) {
                TRY_STATUS(worker.complete(peer, jobs));
            }
        }
        return {};
    }

    /// Each worker beats once a period, at its own moment; what counts is how late the answer is.
    Status beat(Peer& peer, int client) {
        const auto period = std::chrono::duration<double>(setup_.period);
        const auto clients = static_cast<std::size_t>(setup_.clients);
        for (int round = 0; round * setup_.period < setup_.seconds; ++round) {
            for (auto at = static_cast<std::size_t>(client); at < workers_.size(); at += clients) {
                const double share =
                    static_cast<double>(at) / static_cast<double>(workers_.size()) + round;
                const auto due =
                    began_ + std::chrono::duration_cast<TimePoint::duration>(period * share);
                std::this_thread::sleep_until(due);
                auto reply = peer.post<protocol::HeartbeatReply>(
                    "/api/workers/heartbeat", protocol::Heartbeat{.worker_id = workers_[at].id()}
                );
                refused_ += reply ? 0 : 1;
                samples_.add(world_.clock.steady_now() - due);
            }
        }
        return {};
    }

    /// Pages of a hundred jobs, from the newest on.
    Status list(Peer& peer) {
        std::string after;
        for (std::int64_t i = next_++; i < setup_.count; i = next_++) {
            const TimePoint at = world_.clock.steady_now();
            const std::string path = "/api/jobs?limit=100" + after;
            TRY(const auto response, peer.send(net::Method::kGet, path, ""));
            samples_.add(world_.clock.steady_now() - at);
            TRY(const auto page, net::read_json_reply<protocol::JobList>(response));
            after = page.data.empty() ? "" : "&after=" + page.data.back().job_id;
        }
        return {};
    }

    Figures figures() { return samples_.figures(world_.clock.steady_now() - began_, refused_); }

    const Setup setup_;
    World world_;
    std::string key_;
    std::vector<NoOpWorker> workers_;
    std::atomic<std::int64_t> next_ = 0;
    std::atomic<std::int64_t> refused_ = 0;
    TimePoint began_;
    Samples samples_;
};

}  // namespace
}  // namespace nexa::control_plane_bench

NEXA_JSON_CODEC(nexa::control_plane_bench::Setup);
NEXA_JSON_CODEC(nexa::control_plane_bench::Figures);

namespace {

nexa::Result<std::string> run(std::string_view text) {
    TRY(auto setup, nexa::from_json<nexa::control_plane_bench::Setup>(text));
    TRY(const auto figures, nexa::control_plane_bench::Load(std::move(setup)).run());
    return nexa::to_json(figures);
}

}  // namespace

int main(int argc, char** argv) {
    const auto line = run(argc == 2 ? argv[1] : "{}");
    if (!line) {
        fmt::print(stderr, "control_plane_bench: {}\n", line.error().to_string());
        return 1;
    }
    fmt::print("{}\n", *line);
    return 0;
}
