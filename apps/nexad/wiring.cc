// SPDX-License-Identifier: Apache-2.0
#include "wiring.h"

#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "accounts/directory.h"
#include "accounts/key_gate.h"
#include "accounts/rate_limiter.h"
#include "accounts/session_gate.h"
#include "api/authenticator.h"
#include "api/endpoints/artifacts.h"
#include "api/endpoints/billing.h"
#include "api/endpoints/budgets.h"
#include "api/endpoints/deployments.h"
#include "api/endpoints/events.h"
#include "api/endpoints/fleet.h"
#include "api/endpoints/gateway.h"
#include "api/endpoints/invoices.h"
#include "api/endpoints/jobs.h"
#include "api/endpoints/keys.h"
#include "api/endpoints/metrics.h"
#include "api/endpoints/projects.h"
#include "api/endpoints/schedules.h"
#include "api/endpoints/sessions.h"
#include "api/endpoints/storage.h"
#include "api/endpoints/stripe.h"
#include "api/endpoints/system.h"
#include "api/endpoints/users.h"
#include "api/endpoints/workers.h"
#include "api/endpoints/workflows.h"
#include "api/live_streams.h"
#include "billing/rate_card.h"
#include "billing/stripe_client.h"
#include "billing/stripe_sync.h"
#include "blob_place.h"
#include "build_info.h"
#include "core/file.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/redact.h"
#include "core/storage_paths.h"
#include "crypto/ed25519.h"
#include "database.h"
#include "db/writer.h"
#include "monitoring/http_metrics.h"
#include "net/access_log.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/openapi.h"
#include "net/pools.h"
#include "net/signal.h"
#include "net/task_group.h"
#include "orchestration/artifact_service.h"
#include "orchestration/blob_collector.h"
#include "orchestration/deployment_service.h"
#include "orchestration/dispatcher.h"
#include "orchestration/fleet_scaler.h"
#include "orchestration/gateway_feed.h"
#include "orchestration/job_service.h"
#include "orchestration/schedule_service.h"
#include "orchestration/worker_service.h"
#include "orchestration/workflow_driver.h"
#include "orchestration/workflow_service.h"

namespace nexa::nexad {

namespace {

constexpr std::chrono::seconds kDrain{5};
constexpr unsigned kOwnerOnly = 0600;

Status make_layout(const StoragePaths& paths) {
    for (const std::filesystem::path& folder :
         {paths.root(),
          paths.database().parent_path(),
          paths.keys(),
          paths.jobs(),
          paths.temporary()}) {
        TRY_STATUS(make_folders(folder));
    }
    return {};
}

RunCode code_of_this_program() {
    constexpr std::string_view kDirty = "-dirty";
    std::string_view commit = NEXA_COMMIT;
    const bool is_dirty = commit.ends_with(kDirty);
    commit.remove_suffix(is_dirty ? kDirty.size() : 0);
    return {.version = NEXA_VERSION, .git_commit = std::string(commit), .git_dirty = is_dirty};
}

/// For the commands that start workers: our settings are not theirs, and some are secret.
std::map<std::string, std::string> without_our_settings(
    std::map<std::string, std::string> environment
) {
    std::erase_if(environment, [](const auto& one) { return one.first.starts_with("NEXA_"); });
    return environment;
}

/// What has to exist before the objects that only refer to it.
struct Ground {
    Settings settings;
    const Clock& clock;
    Random& random;
    StoragePaths paths;
    OpenedDatabase opened;
    db::Database& database = *opened.database;
    crypto::Ed25519PrivateKey key;
    std::unique_ptr<SecretManager> secrets;
    std::unique_ptr<BlobPlace> blobs;  ///< asks `secrets`
    const billing::RateCard& rate_card;
    std::map<std::string, std::string> environment;
};

}  // namespace

class Server::Impl {
public:
    explicit Impl(Ground ground)
        : ground_(std::move(ground)),
          writer_(ground_.database),
          ids_(ground_.clock, ground_.random),
          tasks_(
              pools_.io,
              [this](std::string_view task, const Error& error) {
                  log_.error(
                      "background task ended", {{"task", task}, {"error", error.to_string()}}
                  );
              }
          ),
          keys_({ground_.database, writer_, pools_.db, ids_, ground_.clock, ground_.random}),
          directory_(
              {ground_.database, writer_, pools_.db, ids_, ground_.random, keys_},
              directory_options(ground_.settings.accounts)
          ),
          sessions_(
              {ground_.database, writer_, pools_.db, hashing_, ids_, ground_.clock, ground_.random},
              session_options(ground_.settings.accounts)
          ),
          logs_(ground_.paths),
          workflow_driver_(
              {ids_, pool_signal_, event_signal_, job_counters_}, ground_.settings.regions
          ),
          workflows_({backend_, ids_, workflow_driver_, code_of_this_program()}),
          schedules_({backend_, ids_, workflow_driver_}),
          jobs_(
              {backend_,
               ids_,
               pool_signal_,
               event_signal_,
               job_counters_,
               workflow_driver_,
               ground_.rate_card},
              ground_.settings.regions
          ),
          workers_(
              {backend_,
               ids_,
               ground_.clock,
               pool_signal_,
               event_signal_,
               job_counters_,
               workflow_driver_}
          ),
          artifacts_({backend_, ids_, ground_.clock, ground_.blobs->vault(), blob_pool_}),
          collector_(
              {backend_, ground_.blobs->vault(), blob_pool_},
              collector_options(ground_.settings.storage)
          ),
          dispatcher_(
              {backend_,
               pools_.db,
               ground_.random,
               ground_.key,
               ground_.blobs->vault(),
               blob_pool_,
               logs_,
               pool_signal_,
               event_signal_,
               ground_.rate_card,
               job_counters_,
               workflow_driver_},
              dispatcher_options(ground_.settings)
          ),
          deployments_(backend_),
          feed_(
              {backend_,
               ground_.key,
               event_signal_,
               ground_.rate_card,
               job_counters_,
               workflow_driver_},
              {.activation = activation_options(ground_.settings)}
          ),
          scaler_(
              {backend_, ids_, ground_.clock, http_, pool_signal_},
              {.pools = ground_.settings.scaling,
               .environment = ground_.environment,
               .folder = ground_.paths.temporary()}
          ),
          authenticator_(
              {keys_, sessions_, limiter_}, authenticator_options(ground_.settings.accounts)
          ),
          streams_({tasks_, authenticator_}),
          job_endpoints_({jobs_, logs_, pools_.db, ground_.clock, streams_}),
          event_endpoints_({jobs_, workers_, streams_}),
          key_endpoints_(keys_),
          project_endpoints_(directory_),
          user_endpoints_(directory_),
          session_endpoints_(sessions_, session_endpoints_options(ground_.settings.accounts)),
          worker_endpoints_(
              {workers_, dispatcher_, artifacts_, pools_.db, ground_.key.public_key().to_base64()}
          ),
          artifact_endpoints_(artifacts_, pools_.db),
          storage_endpoints_(collector_),
          deployment_endpoints_(deployments_),
          fleet_endpoints_(scaler_),
          workflow_endpoints_(workflows_, ground_.clock),
          schedule_endpoints_(schedules_, ground_.clock),
          gateway_endpoints_({feed_, artifacts_, pools_.db}),
          metrics_endpoints_({backend_, metrics_, [this] { return server_stats(); }}),
          billing_endpoints_({backend_, ground_.clock, ground_.rate_card}),
          invoice_endpoints_({backend_, ids_}),
          budget_endpoints_(backend_),
          stripe_endpoints_(
              {backend_, ground_.clock}, secret_of(ground_.settings.stripe.webhook_secret)
          ),
          system_endpoints_({backend_, {.version = NEXA_VERSION, .commit = NEXA_COMMIT}}) {}

    ~Impl() { stop(); }

    Status start() {
        writer_.start();
        TRY_STATUS(write_owner_key());
        TRY_STATUS(prepare_stripe());
        std::vector<net::Route> rows = routes();
        system_endpoints_.set_openapi(document(rows));
        TRY(server_,
            net::HttpServer::start(
                pools_.io,
                ground_.clock,
                {.address = ground_.settings.address,
                 .port = static_cast<std::uint16_t>(ground_.settings.port)},
                hooks(),
                net::Router(std::move(rows))
            ));
        running_server_ = server_.get();
        TRY_STATUS(tasks_.spawn("watch leases", dispatcher_.watch_leases()));
        TRY_STATUS(tasks_.spawn("watch activations", feed_.watch_activations()));
        TRY_STATUS(tasks_.spawn("run schedules", schedules_.watch()));
        TRY_STATUS(tasks_.spawn("collect blobs", collector_.watch()));
        if (stripe_) {
            TRY_STATUS(tasks_.spawn("tell Stripe", stripe_->sync.run()));
        }
        TRY_STATUS(scaler_.start(tasks_));
        log_.info(
            "ready",
            {{"address", ground_.settings.address},
             {"port", server_->port()},
             {"database", ground_.opened.shown}}
        );
        return {};
    }

    std::uint16_t port() const { return server_ ? server_->port() : 0; }
    std::string openapi() { return document(routes()); }
    std::string route_list() {
        std::string list;
        for (const net::Route& route : routes()) {
            list += fmt::format("{} {}\n", to_string(route.method), route.path);
        }
        return list;
    }

    void stop() {
        if (std::exchange(stopped_, true)) {
            return;
        }
        if (server_) {
            net::blocking::stop(pools_.io, *server_, kDrain);
        }
        if (stripe_) {
            stripe_->http.stop();
        }
        scaler_.stop();
        net::blocking::stop(pools_.io, tasks_);
        http_.stop();
        writer_.stop();
        hashing_.stop();
        ground_.blobs->stop();
        blob_pool_.stop();
        pools_.db.stop();
        pools_.cpu.stop();
        pools_.io.stop();
    }

private:
    static orchestration::DispatcherOptions dispatcher_options(const Settings& settings) {
        const std::chrono::duration<double> lease(settings.lease_seconds);
        return {
            .lease = {.lease = std::chrono::duration_cast<std::chrono::microseconds>(lease)},
            .activation = activation_options(settings),
        };
    }
    static orchestration::ActivationOptions activation_options(const Settings& settings) {
        const std::chrono::duration<double> time(settings.deploy_seconds);
        return {.time = std::chrono::duration_cast<std::chrono::microseconds>(time)};
    }

    template <class Period>
    static std::chrono::microseconds time_of(double count) {
        return std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::duration<double, Period>(count)
        );
    }
    static std::optional<accounts::Rate> rate_of(double per_second) {
        return per_second > 0 ? std::optional(accounts::Rate::of(per_second)) : std::nullopt;
    }
    static accounts::DirectoryOptions directory_options(const AccountSettings& settings) {
        return {
            .may_invite = settings.registration != "closed",
            .invitation_lifetime = time_of<std::chrono::days::period>(settings.invitation_days),
        };
    }
    static orchestration::CollectorOptions collector_options(const StorageSettings& settings) {
        return {
            .ages = {.unseen = time_of<std::chrono::hours::period>(settings.keep_unused_hours)}
        };
    }
    static accounts::SessionOptions session_options(const AccountSettings& settings) {
        accounts::SessionOptions options{
            .registration = settings.registration == "open"     ? accounts::Registration::kOpen
                            : settings.registration == "closed" ? accounts::Registration::kClosed
                                                                : accounts::Registration::kInvited,
            .cost = {.cost_log2 = settings.password_cost_log2},
        };
        options.idle_max = time_of<std::chrono::hours::period>(settings.session_idle_hours);
        options.lifetime = time_of<std::chrono::days::period>(settings.session_days);
        return options;
    }
    static api::AuthenticatorOptions authenticator_options(const AccountSettings& settings) {
        return {
            .per_user = rate_of(settings.requests_per_second_of_user),
            .per_address = rate_of(settings.requests_per_second_of_address),
            .trusted_proxies = settings.trusted_proxies,
        };
    }
    static api::SessionEndpointsOptions session_endpoints_options(const AccountSettings& settings) {
        const auto lifetime = time_of<std::chrono::days::period>(settings.session_days);
        return {
            .cookie_lifetime = std::chrono::ceil<std::chrono::seconds>(lifetime),
            .trusted_proxies = settings.trusted_proxies,
        };
    }

    static std::optional<Secret> secret_of(const std::string& value) {
        if (value.empty()) {
            return std::nullopt;
        }
        // One too short to be told from ordinary text is not registered: we print it nowhere.
        static_cast<void>(register_secret(value));
        return Secret(value);
    }

    /// What is to be told Stripe goes into the outbox from now on, or no more.
    Status prepare_stripe() {
        const StripeSettings& settings = ground_.settings.stripe;
        if (settings.secret_key.empty()) {
            return writer_.run([](db::Tx& tx) { return billing::StripeSync::switch_off(tx); });
        }
        static_cast<void>(register_secret(settings.secret_key));
        const billing::StripeSyncOptions options{
            .meter = settings.meter, .days_until_due = settings.days_until_due
        };
        stripe_.emplace(*this, settings, options);
        return writer_.run([options](db::Tx& tx) {
            return billing::StripeSync::switch_on(tx, options);
        });
    }

    /// The first start leaves the owner's key where only the owner reads; it is never written
    /// again.
    Status write_owner_key() {
        const std::filesystem::path path = ground_.paths.root() / "admin.key";
        if (std::filesystem::exists(path)) {
            return {};
        }
        auto minting = keys_.mint_owner_key("admin");
        if (!minting && minting.error().code == ErrorCode::kConflict) {
            // Another coordinator has made the owner at the same moment: now it is there.
            minting = keys_.mint_owner_key("admin");
        }
        TRY(const accounts::MintedKey minted, std::move(minting));
        return write_file_atomically(path, fmt::format("{}\n", minted.key.secret()), kOwnerOnly);
    }

    std::vector<net::Route> routes() {
        std::vector<net::Route> rows;
        for (auto more : {
                 job_endpoints_.routes(),        event_endpoints_.routes(),
                 key_endpoints_.routes(),        project_endpoints_.routes(),
                 user_endpoints_.routes(),       session_endpoints_.routes(),
                 worker_endpoints_.routes(),     artifact_endpoints_.routes(),
                 fleet_endpoints_.routes(),      storage_endpoints_.routes(),
                 deployment_endpoints_.routes(), workflow_endpoints_.routes(),
                 schedule_endpoints_.routes(),   gateway_endpoints_.routes(),
                 metrics_endpoints_.routes(),    billing_endpoints_.routes(),
                 invoice_endpoints_.routes(),    budget_endpoints_.routes(),
                 stripe_endpoints_.routes(),     system_endpoints_.routes(),
             }) {
            std::ranges::move(more, std::back_inserter(rows));
        }
        return rows;
    }

    static std::string document(const std::vector<net::Route>& rows) {
        const net::OpenApiInfo info{.title = "Nexa Forge", .version = NEXA_VERSION};
        return net::openapi_document(info, rows);
    }

    net::HttpServerHooks hooks() {
        return {
            .authenticate = [this](net::AuthRequest request
                            ) { return authenticator_.authenticate(std::move(request)); },
            .make_request_id = [this] { return ids_.make<RequestId>().text(); },
            .on_request_done =
                [this](const net::RequestRecord& record) {
                    net::log_request(access_log_, record);
                    http_metrics_.record(record);
                },
            .on_error = [this](const Error& error
                        ) { log_.warning("connection", {{"error", error.to_string()}}); },
        };
    }

    net::HttpServerStats server_stats() const {
        const net::HttpServer* server = running_server_;
        return server != nullptr ? server->stats() : net::HttpServerStats{};
    }

    /// All that speaks to Stripe; there only if there is a key.
    struct Stripe {
        Stripe(
            Impl& server, const StripeSettings& settings, const billing::StripeSyncOptions& options
        )
            : http({}, server.ground_.clock, server.ground_.random),
              client(http, settings.api_url, settings.secret_key),
              sync({server.ground_.database, server.writer_, server.pools_.db, client}, options) {}
        net::HttpClient http;
        billing::StripeClient client;
        billing::StripeSync sync;
    };

    Ground ground_;
    MetricRegistry metrics_;
    monitoring::HttpMetrics http_metrics_{metrics_};
    orchestration::JobCounters job_counters_{metrics_};
    Logger log_ = get_logger("nexad");
    Logger access_log_ = get_logger("access");
    db::Writer writer_;
    IdSource ids_;
    net::Pools pools_;
    net::WorkPool blob_pool_{{.name = "blobs", .threads = ground_.blobs->threads()}};
    net::TaskGroup tasks_;
    orchestration::Backend backend_{ground_.database, writer_, pools_.db};
    net::Signal pool_signal_;
    net::Signal event_signal_;
    accounts::KeyGate keys_;
    accounts::RateLimiter limiter_{ground_.clock};
    /// Each of its threads takes 32 MiB for the time of one password.
    net::WorkPool hashing_{{.name = "passwords", .threads = 2, .queue_max = 16}};
    accounts::Directory directory_;
    accounts::SessionGate sessions_;
    orchestration::JobLogs logs_;
    orchestration::WorkflowDriver workflow_driver_;
    orchestration::WorkflowService workflows_;
    orchestration::ScheduleService schedules_;
    orchestration::JobService jobs_;
    orchestration::WorkerService workers_;
    orchestration::ArtifactService artifacts_;
    orchestration::BlobCollector collector_;
    orchestration::Dispatcher dispatcher_;
    orchestration::DeploymentService deployments_;
    orchestration::GatewayFeed feed_;
    net::HttpClient http_{{.user_agent = "nexad"}, ground_.clock, ground_.random};
    orchestration::FleetScaler scaler_;
    api::Authenticator authenticator_;
    api::LiveStreams streams_;
    api::JobEndpoints job_endpoints_;
    api::EventEndpoints event_endpoints_;
    api::KeyEndpoints key_endpoints_;
    api::ProjectEndpoints project_endpoints_;
    api::UserEndpoints user_endpoints_;
    api::SessionEndpoints session_endpoints_;
    api::WorkerEndpoints worker_endpoints_;
    api::ArtifactEndpoints artifact_endpoints_;
    api::StorageEndpoints storage_endpoints_;
    api::DeploymentEndpoints deployment_endpoints_;
    api::FleetEndpoints fleet_endpoints_;
    api::WorkflowEndpoints workflow_endpoints_;
    api::ScheduleEndpoints schedule_endpoints_;
    api::GatewayEndpoints gateway_endpoints_;
    api::MetricsEndpoints metrics_endpoints_;
    api::BillingEndpoints billing_endpoints_;
    api::InvoiceEndpoints invoice_endpoints_;
    api::BudgetEndpoints budget_endpoints_;
    api::StripeEndpoints stripe_endpoints_;
    api::SystemEndpoints system_endpoints_;
    std::optional<Stripe> stripe_;
    std::unique_ptr<net::HttpServer> server_;
    /// `server_` once it is there: requests may come while start() still assigns it.
    std::atomic<net::HttpServer*> running_server_ = nullptr;
    bool stopped_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(
    const Settings& settings, SecretSources secrets, const Clock& clock, Random& random
) {
    TRY_STATUS(orchestration::FleetScaler::check(settings.scaling));
    for (const orchestration::ScalingPoolSettings& pool : settings.scaling) {
        static_cast<void>(register_secret(pool.webhook_secret));
    }
    TRY(const billing::RateCard* rate_card, billing::find_rate_card(settings.rate_card));
    std::error_code ignored;
    StoragePaths paths(std::filesystem::absolute(settings.dir, ignored));
    TRY_STATUS(make_layout(paths));
    TRY(auto key,
        crypto::Ed25519PrivateKey::load_or_create(paths.keys() / "coordinator.pem", random));
    auto environment = without_our_settings(secrets.environment);
    auto secret_manager = std::make_unique<SecretManager>(std::move(secrets));
    TRY(auto blobs, BlobPlace::open(settings, paths, *secret_manager, clock, random));
    TRY(auto opened, open_database(settings, paths, clock));
    return std::unique_ptr<Server>(new Server(std::make_unique<Impl>(Ground{
        .settings = settings,
        .clock = clock,
        .random = random,
        .paths = std::move(paths),
        .opened = std::move(opened),
        .key = std::move(key),
        .secrets = std::move(secret_manager),
        .blobs = std::move(blobs),
        .rate_card = *rate_card,
        .environment = std::move(environment),
    })));
}

Status Server::start() {
    return impl_->start();
}
std::uint16_t Server::port() const {
    return impl_->port();
}
std::string Server::openapi() const {
    return impl_->openapi();
}

std::string Server::route_list() const {
    return impl_->route_list();
}
void Server::stop() {
    impl_->stop();
}

}  // namespace nexa::nexad
