// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "core/file.h"
#include "core/file_lock.h"
#include "core/log.h"
#include "core/sha256.h"
#include "core/storage_paths.h"
#include "gateway/control_feed.h"
#include "gateway/keys.h"
#include "gateway/model_table.h"
#include "gateway/system_endpoints.h"
#include "gateway/usage_sender.h"
#include "gateway/usage_spool.h"
#include "net/access_log.h"
#include "net/http_server.h"
#include "net/task_group.h"
#include "staging/file_stager.h"
#include "storage/blob_store.h"
#include "storage/blob_uploads.h"

namespace nexa::gateway {

namespace {

namespace fs = std::filesystem;

constexpr unsigned kFingerprintDigits = 10;
constexpr std::size_t kIoThreads = 2;
constexpr std::size_t kMessageBytesMax = 1024;
constexpr std::uint64_t kConfigBytesMax = std::uint64_t{16} << 20U;

bool is_loopback(std::string_view address) {
    return address == "localhost" || address == "::1" || address.starts_with("127.");
}

Result<UniqueFd> lock_folder(const fs::path& folder) {
    auto lock = lock_file(folder / "gateway.lock");
    if (!lock && lock.error().code == ErrorCode::kConflict) {
        return Error::conflict("another nexa-gateway runs on {}", folder.native())
            .hint("stop that one, or give another --dir");
    }
    return lock;
}

using Digests = std::set<std::string, std::less<>>;

/// The files of all models that are to be served.
Digests files_of(const ModelTable& models) {
    Digests digests;
    for (const auto& model : models.all()) {
        for (const protocol::InputFile& file : model->spec().files) {
            digests.insert(file.digest);
        }
    }
    return digests;
}

/// Removes what lies in the cache and is not among the models' files. They are asked for only once
/// it is known what is there: a model that comes later brings its files later too.
Status clear_cache(storage::BlobStore& cache, const ModelTable& models) {
    std::vector<Sha256Digest> there;
    TRY_STATUS(cache.list([&](const storage::BlobInfo& blob) {
        there.push_back(blob.digest);
        return true;
    }));
    const Digests wanted = files_of(models);
    for (const Sha256Digest& digest : there) {
        if (wanted.contains(digest.prefixed())) {
            continue;
        }
        const Status removed = cache.remove(digest);
        if (!removed && removed.error().code != ErrorCode::kNotFound) {
            return removed;
        }
    }
    return {};
}

/// How the deployments stand, without the models that the operator named.
std::vector<protocol::GatewayDeploymentState> states_of(const ModelTable& models) {
    std::vector<protocol::GatewayDeploymentState> states;
    for (const auto& model : models.all()) {
        if (model->spec().files.empty()) {
            continue;
        }
        states.push_back({
            .deployment_id = model->spec().deployment_id,
            .state = std::string(to_string(model->state())),
            .message = model->message().substr(0, kMessageBytesMax),
        });
    }
    return states;
}

/// Changes with what the folder says the model is; the weights are too large to be hashed for it.
std::string fingerprint_of(const fs::path& folder) {
    const auto config = read_file(folder / "config.json", kConfigBytesMax);
    std::error_code ignored;
    const auto size = fs::file_size(folder / "model.safetensors", ignored);
    const std::string what = fmt::format("{}:{}", size, config.value_or(""));
    return "fp_" + sha256(what).hex().substr(0, kFingerprintDigits);
}

Status check_settings(const GatewaySettings& settings) {
    const bool needs_keys = !is_loopback(settings.address);
    if (needs_keys && settings.keys_file.empty() && !settings.control) {
        return Error::invalid_argument("others can connect to {}", settings.address)
            .at("address")
            .hint("give keys by --keys-file or a control plane by --server, or listen on 127.0.0.1"
            );
    }
    std::set<std::string_view> names;
    for (const StaticModel& model : settings.models) {
        if (!names.insert(model.name).second) {
            return Error::invalid_argument("two models are called '{}'", model.name).at("model");
        }
    }
    return {};
}

/// What clients call, unless the operator says otherwise.
std::string url_of(const GatewaySettings& settings, std::uint16_t port) {
    if (!settings.public_url.empty()) {
        return settings.public_url;
    }
    std::string host = settings.address;
    if (host == "0.0.0.0" || host == "::") {
        std::array<char, 256> name{};
        host = ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
    }
    const bool is_ipv6 = host.find(':') != std::string::npos;
    return is_ipv6 ? fmt::format("http://[{}]:{}", host, port)
                   : fmt::format("http://{}:{}", host, port);
}

/// What has to exist before the objects that only refer to it.
struct Ground {
    GatewaySettings settings;
    fs::path own;            ///< DIR/gateway
    std::string gateway_id;  ///< empty without a control plane
    std::unique_ptr<storage::BlobStore> cache;
    const Clock& clock;
    Random& random;
    UniqueFd lock;
    std::unique_ptr<UsageSpool> usage;
    KeyTable fixed_keys;
};

}  // namespace

Result<StaticModel> parse_static_model(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == text.size()) {
        return Error::invalid_argument("'{}' is not NAME=FOLDER", text).at("model");
    }
    return StaticModel{
        .name = std::string(text.substr(0, equals)), .folder = fs::path(text.substr(equals + 1))
    };
}

class Gateway::Impl {
public:
    explicit Impl(Ground ground)
        : ground_(std::move(ground)),
          ids_(ground_.clock, ground_.random),
          io_(
              {.threads = kIoThreads,
               .on_error = [this](const Error& error
                           ) { log_.error("io thread", {{"error", error.to_string()}}); }}
          ),
          links_(io_, on_task_error()),
          keepers_(io_, on_task_error()),
          streams_(io_, on_task_error()),
          feeds_(io_, on_task_error()),
          keys_(
              ground_.settings.keys_file.empty() && !ground_.settings.control, ground_.fixed_keys
          ),
          stager_({
              .open_blob = [this](Sha256Digest digest) { return feed_->open_blob(digest); },
              .cache = *ground_.cache,
              .disk = disk_,
              .clock = ground_.clock,
              .random = ground_.random,
          }),
          keeper_(
              {
                  .clock = ground_.clock,
                  .io = io_,
                  .links = links_,
                  .children = children_,
                  .fetch = [this](
                               ModelSpec spec, CancelToken token
                           ) { return fetch(std::move(spec), std::move(token)); },
                  .discard = [this](ModelSpec spec) { return discard(std::move(spec)); },
                  .on_change =
                      [this] {
                          if (feed_) {
                              feed_->changed();
                          }
                      },
              },
              ground_.settings.keeper
          ),
          usage_sender_(
              {
                  .spool = *ground_.usage,
                  .disk = disk_,
                  .clock = ground_.clock,
                  .random = ground_.random,
                  .send = [this](std::vector<UsageLine> lines
                          ) { return feed_->send_usage(std::move(lines)); },
              },
              ground_.settings.send_usage_every
          ),
          text_(
              {models_, streams_, *ground_.usage, ground_.clock, ground_.random, ids_},
              ground_.settings.text
          ),
          system_(
              {.models = models_,
               .knows_models = [this] { return !feed_ || feed_->knows_models(); },
               .version = {.version = ground_.settings.version, .commit = ground_.settings.commit}}
          ) {
        if (auto& control = ground_.settings.control) {
            feed_.emplace(
                ControlFeed::Collaborators{
                    .http = http_,
                    .disk = disk_,
                    .random = ground_.random,
                    .clock = ground_.clock,
                    .apply = [this](const protocol::GatewaySnapshot& snapshot
                             ) { return apply(snapshot); },
                    .states = [this] { return states_of(models_); },
                },
                ControlFeedSettings{
                    .server_url = std::move(control->server_url),
                    .api_key = std::move(control->api_key),
                    .region = control->region,
                    .gateway_id = ground_.gateway_id,
                    .folder = ground_.own,
                }
            );
        }
    }

    ~Impl() { stop(); }

    Status start() {
        for (const StaticModel& model : ground_.settings.models) {
            TRY_STATUS(serve({
                .deployment_id = "static_" + model.name,
                .name = model.name,
                .project_id = {},
                .fingerprint = fingerprint_of(model.folder),
                .created = ground_.clock.now().time_since_epoch() / std::chrono::seconds(1),
                .folder = model.folder,
            }));
        }
        if (feed_) {
            feed_->restore();
        }
        std::vector<net::Route> rows = text_.routes();
        std::ranges::move(system_.routes(), std::back_inserter(rows));
        TRY(server_,
            net::HttpServer::start(
                io_,
                ground_.clock,
                {.address = ground_.settings.address, .port = ground_.settings.port},
                hooks(),
                net::Router(std::move(rows))
            ));
        if (feed_) {
            TRY_STATUS(feeds_.spawn("follow", feed_->follow()));
            TRY_STATUS(feeds_.spawn("report", feed_->report(url_of(ground_.settings, port()))));
            TRY_STATUS(feeds_.spawn("send usage", usage_sender_.run()));
        }
        log_.info("ready", {{"address", ground_.settings.address}, {"port", server_->port()}});
        return {};
    }

    std::uint16_t port() const { return server_ ? server_->port() : 0; }

    void stop() {
        if (std::exchange(stopped_, true)) {
            return;
        }
        const auto grace = ground_.settings.drain_max;
        if (server_) {
            net::blocking::stop(io_, *server_, grace);
        }
        net::blocking::stop(io_, streams_);
        net::blocking::stop(io_, feeds_);
        for (const auto& model : models_.all()) {
            keeper_.stop(*model);
        }
        net::blocking::stop(io_, keepers_, ground_.settings.keeper.end_grace * 2);
        net::blocking::stop(io_, links_);
        http_.stop();
        children_.stop();
        disk_.stop();
        io_.stop();
        ground_.usage->stop();
    }

private:
    net::TaskGroup::OnError on_task_error() {
        return [this](std::string_view task, const Error& error) {
            log_.error("background task ended", {{"task", task}, {"error", error.to_string()}});
        };
    }

    Status serve(ModelSpec spec) {
        auto model = std::make_shared<ServedModel>(std::move(spec));
        models_.add(model);
        TRY_STATUS(keepers_.spawn("keep " + model->spec().name, keeper_.keep(model)));
        return {};
    }

    /// Begins and ends models so that those of the snapshot are served.
    Status apply(const protocol::GatewaySnapshot& snapshot) {
        TRY(KeyTable keys, KeyTable::from_snapshot(snapshot.keys));
        std::set<std::string_view> wanted;
        for (const protocol::GatewayDeployment& deployment : snapshot.deployments) {
            TRY_STATUS(check_path_id(deployment.deployment_id));
            wanted.insert(deployment.deployment_id);
        }
        // A revoked key is gone before anything else is looked at.
        keys_.replace(std::move(keys));
        const std::set<std::string> served = undeploy_all_but(wanted);
        for (const protocol::GatewayDeployment& deployment : snapshot.deployments) {
            if (!served.contains(deployment.deployment_id)) {
                TRY_STATUS(serve(spec_of(deployment)));
            }
        }
        // What earlier runs kept for models that are gone.
        return std::exchange(is_tidied_, true) ? Status() : spawn_tidying();
    }

    /// Models of the command line stay. Returns the ids of what is served on.
    std::set<std::string> undeploy_all_but(const std::set<std::string_view>& wanted) {
        std::set<std::string> served;
        for (const auto& model : models_.all()) {
            const std::string& id = model->spec().deployment_id;
            if (!model->spec().files.empty() && !wanted.contains(id)) {
                models_.remove(id);
                keeper_.undeploy(*model);
            } else {
                served.insert(id);
            }
        }
        return served;
    }

    Status spawn_tidying() {
        TRY_STATUS(feeds_.spawn("tidy the cache", tidy_cache()));
        return {};
    }

    ModelSpec spec_of(const protocol::GatewayDeployment& deployment) const {
        const auto created = parse_rfc3339(deployment.created_at).value_or(ground_.clock.now());
        return {
            .deployment_id = deployment.deployment_id,
            .name = deployment.name,
            .project_id = deployment.project_id,
            .fingerprint =
                "fp_" + sha256(deployment.root_digest).hex().substr(0, kFingerprintDigits),
            .created = created.time_since_epoch() / std::chrono::seconds(1),
            .folder = ground_.own / "models" / deployment.deployment_id,
            .files = deployment.files,
            .root_digest = deployment.root_digest,
        };
    }

    net::Task<void> fetch(ModelSpec spec, CancelToken token) {
        // What an earlier run has laid out may be half of it; the cache makes it cheap to do anew.
        CO_TRY_STATUS(co_await net::run_on(disk_, [folder = spec.folder] {
            return remove_tree(folder);
        }));
        co_return co_await stager_.stage(spec.files, spec.folder, std::move(token));
    }

    net::Task<void> discard(ModelSpec spec) {
        CO_TRY_STATUS(co_await net::run_on(disk_, [folder = spec.folder] {
            return remove_tree(folder);
        }));
        co_return co_await tidy_cache();
    }

    net::Task<void> tidy_cache() {
        co_return co_await net::run_on(disk_, [this] {
            return clear_cache(*ground_.cache, models_);
        });
    }

    net::HttpServerHooks hooks() {
        return {
            .authenticate = [this](net::AuthRequest request
                            ) { return authenticate(std::move(request)); },
            .make_request_id = [this] { return ids_.make<RequestId>().text(); },
            .on_request_done = [this](const net::RequestRecord& record
                               ) { net::log_request(access_log_, record); },
            .on_error = [this](const Error& error
                        ) { log_.warning("connection", {{"error", error.to_string()}}); },
        };
    }

    net::Task<net::Principal> authenticate(net::AuthRequest request) {
        CO_TRY(Caller caller, keys_.check(*request.head, ground_.clock.now()));
        co_return net::Principal{
            .id = caller.key_id, .tenant_id = caller.project_id, .details = std::move(caller)
        };
    }

    Ground ground_;
    Logger log_ = get_logger("gateway");
    Logger access_log_ = get_logger("access");
    IdSource ids_;
    net::IoPool io_;
    net::WorkPool children_{{.name = "children", .threads = 4}};
    net::WorkPool disk_{{.name = "disk", .threads = 2}};
    net::HttpClient http_{{.user_agent = "nexa-gateway"}, ground_.clock, ground_.random};
    net::TaskGroup links_;
    net::TaskGroup keepers_;
    net::TaskGroup streams_;
    net::TaskGroup feeds_;
    KeyRing keys_;
    ModelTable models_;
    std::optional<ControlFeed> feed_;
    staging::FileStager stager_;
    ModelKeeper keeper_;
    UsageSender usage_sender_;
    TextEndpoints text_;
    SystemEndpoints system_;
    std::unique_ptr<net::HttpServer> server_;
    bool is_tidied_ = false;
    bool stopped_ = false;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::open(
    GatewaySettings settings, const Clock& clock, Random& random
) {
    TRY_STATUS(check_settings(settings));
    std::error_code ignored;
    const fs::path own = fs::absolute(settings.dir, ignored).lexically_normal() / "gateway";
    settings.keeper.engine = settings.engine;
    settings.keeper.run_folder = own / "run";
    for (StaticModel& model : settings.models) {
        model.folder = fs::absolute(model.folder, ignored).lexically_normal();
    }
    TRY_STATUS(make_private_folder(own));
    TRY(UniqueFd lock, lock_folder(own));
    // What a killed gateway left there is nobody's; models are laid out anew from the cache.
    TRY_STATUS(remove_tree(settings.keeper.run_folder));
    TRY_STATUS(remove_tree(own / "models"));
    TRY_STATUS(make_private_folder(settings.keeper.run_folder));
    TRY(auto cache, storage::BlobStore::open(own / "cache"));
    TRY_STATUS(storage::BlobUploads(*cache, random).drop_idle(Timestamp::max()));
    std::string gateway_id;
    if (settings.control) {
        TRY(gateway_id, gateway_id_in(own, random));
    }
    KeyTable keys;
    if (!settings.keys_file.empty()) {
        TRY(keys, KeyTable::from_file(settings.keys_file));
    }
    TRY(auto usage, UsageSpool::open(own / "usage.jsonl"));
    return std::unique_ptr<Gateway>(new Gateway(std::make_unique<Impl>(Ground{
        .settings = std::move(settings),
        .own = own,
        .gateway_id = std::move(gateway_id),
        .cache = std::move(cache),
        .clock = clock,
        .random = random,
        .lock = std::move(lock),
        .usage = std::move(usage),
        .fixed_keys = std::move(keys),
    })));
}

Status Gateway::start() {
    return impl_->start();
}

std::uint16_t Gateway::port() const {
    return impl_->port();
}

void Gateway::stop() {
    impl_->stop();
}

}  // namespace nexa::gateway
