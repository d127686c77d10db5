// SPDX-License-Identifier: Apache-2.0
#include "gateway/control_feed.h"

#include <array>
#include <utility>

#include "core/file.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/retry.h"
#include "core/storage_paths.h"
#include "core/trim.h"
#include "crypto/dsse.h"
#include "crypto/hex.h"
#include "net/json_reply.h"
#include "net/url.h"
#include "protocol/deployment_views.h"

namespace nexa::gateway {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCallTimeMax{15'000};
/// What an answer may take on top of the wait that was asked for.
constexpr milliseconds kPollSlack{15'000};
constexpr std::uint64_t kSnapshotBytesMax = std::uint64_t{64} << 20U;
constexpr std::uint64_t kSmallFileBytesMax = 4096;
constexpr std::uint64_t kBlobBytesMax = 1ULL << 50U;

/// A gateway waits for its control plane however long that takes, and hears of it soon.
constexpr RetryPolicy kServerPolicy{
    .attempts = 1'000'000'000,
    .base = milliseconds(250),
    .cap = std::chrono::seconds(5),
    .total_max = std::chrono::hours(24 * 365),
    .retries = [](ErrorCode) { return true; },
};

std::filesystem::path key_file(const std::filesystem::path& folder) {
    return folder / "coordinator.key";
}

std::filesystem::path snapshot_file(const std::filesystem::path& folder) {
    return folder / "snapshot.json";
}

/// A server that does not answer: one line for each kind of trouble, not one for each attempt, and
/// longer and longer pauses.
class Trouble {
public:
    Trouble(Logger log, const Clock& clock, Random& random)
        : log_(std::move(log)), clock_(clock), random_(random) {}

    /// How long to wait before the next attempt.
    std::chrono::nanoseconds failed(std::string_view what, const Error& error) {
        std::string text = error.to_string();
        if (text != last_) {
            log_.warning(what, {{"error", text}});
            last_ = std::move(text);
        }
        if (!backoff_) {
            backoff_.emplace(kServerPolicy, random_, clock_.steady_now());
        }
        return backoff_->next_delay(error.code, clock_.steady_now()).value_or(kServerPolicy.cap);
    }
    void worked() {
        backoff_.reset();
        if (!std::exchange(last_, {}).empty()) {
            log_.info("the control plane answers again");
        }
    }

private:
    Logger log_;
    const Clock& clock_;
    Random& random_;
    std::string last_;
    std::optional<Backoff> backoff_;
};

}  // namespace

ControlFeed::ControlFeed(Collaborators with, ControlFeedSettings settings)
    : with_(std::move(with)), settings_([&] {
          settings.server_url = std::string(net::without_end_slash(settings.server_url));
          return std::move(settings);
      }()) {}

void ControlFeed::restore() {
    const auto key = read_file(key_file(settings_.folder), kSmallFileBytesMax);
    if (!key) {
        return;
    }
    auto parsed = crypto::Ed25519PublicKey::from_base64(trimmed(*key));
    if (!parsed) {
        log_.warning("the pinned key cannot be read", {{"error", parsed.error().to_string()}});
        return;
    }
    key_ = *parsed;
    const auto envelope = read_file(snapshot_file(settings_.folder), kSnapshotBytesMax);
    if (!envelope) {
        return;
    }
    if (const Status taken = take(*envelope); !taken) {
        log_.warning("the kept snapshot is of no use", {{"error", taken.error().to_string()}});
    }
}

Result<protocol::GatewaySnapshot> ControlFeed::verified(std::string_view envelope) const {
    TRY(const auto parsed, crypto::parse_dsse(envelope, {.bytes_max = kSnapshotBytesMax}));
    TRY_STATUS(crypto::verify_dsse(
        parsed, protocol::kGatewaySnapshotPayloadType, [this](std::string_view) { return key_; }
    ));
    return from_json<protocol::GatewaySnapshot>(
        parsed.payload, {.unknown_keys = UnknownKeys::kIgnore}
    );
}

Status ControlFeed::take(std::string_view envelope) {
    TRY(const auto snapshot, verified(envelope));
    if (snapshot.region != settings_.region) {
        return Error::invalid_argument(
            "it is for region {}, we are of {}", snapshot.region, settings_.region
        );
    }
    TRY_STATUS(with_.apply(snapshot));
    serial_ = snapshot.serial;
    return {};
}

net::HttpRequest ControlFeed::request(net::Method method, std::string_view path) const {
    net::HttpRequest request{
        .method = method, .url = fmt::format("{}{}", settings_.server_url, path)
    };
    request.headers.add("X-Nexa-Api-Key", std::string(settings_.api_key.reveal()));
    request.total_time_max = kCallTimeMax;
    request.retry = net::RetryWhen::kNever;
    return request;
}

net::Task<void> ControlFeed::pin_key() {
    CO_TRY(
        const auto response,
        co_await with_.http.send(request(net::Method::kGet, "/api/gateway/key"))
    );
    CO_TRY(const auto view, net::read_json_reply<protocol::CoordinatorKeyView>(response));
    CO_TRY(auto key, crypto::Ed25519PublicKey::from_base64(view.public_key));
    CO_TRY_STATUS(co_await net::run_on(
        with_.disk,
        [path = key_file(settings_.folder), text = view.public_key + "\n"] {
            return write_file_atomically(path, text);
        }
    ));
    key_ = key;
    co_return ok();
}

net::Task<void> ControlFeed::follow_once() {
    if (!key_) {
        CO_TRY_STATUS(co_await pin_key());
    }
    const std::int64_t serial = serial_;
    net::HttpRequest call = request(
        net::Method::kGet,
        fmt::format(
            "/api/gateway/snapshot?region={}&serial={}&wait_seconds={}",
            net::percent_encode(settings_.region),
            serial,
            settings_.wait.count()
        )
    );
    call.total_time_max = settings_.wait + kPollSlack;
    call.idle_time_max = std::chrono::seconds(0);
    call.body_bytes_max = kSnapshotBytesMax;
    CO_TRY(net::HttpResponse response, co_await with_.http.send(std::move(call)));
    if (!response.is_success()) {
        co_return net::to_error(response);
    }
    CO_TRY_STATUS(take(response.body));
    if (serial_ == serial) {
        co_return ok();
    }
    log_.info("snapshot", {{"serial", serial_.load()}});
    co_return co_await net::run_on(
        with_.disk,
        [path = snapshot_file(settings_.folder), text = std::move(response.body)] {
            return write_file_atomically(path, text);
        }
    );
}

net::Task<void> ControlFeed::follow() {
    Trouble trouble(log_, with_.clock, with_.random);
    while (true) {
        const Status followed = co_await follow_once();
        if (followed) {
            trouble.worked();
            continue;
        }
        if (followed.error().code == ErrorCode::kCancelled) {
            co_return followed;
        }
        const auto pause = trouble.failed("cannot follow the control plane", followed.error());
        CO_TRY_STATUS(co_await net::sleep_for(pause));
    }
}

net::Task<void> ControlFeed::report_once(std::string public_url) {
    net::HttpRequest call = request(net::Method::kPost, "/api/gateway/report");
    call.headers.add("Content-Type", "application/json");
    call.body = to_json(protocol::GatewayReport{
        .gateway_id = settings_.gateway_id,
        .region = settings_.region,
        .url = std::move(public_url),
        .serial = serial_,
        .deployments = with_.states(),
    });
    CO_TRY(const auto response, co_await with_.http.send(std::move(call)));
    CO_TRY_STATUS(net::read_json_reply<protocol::GatewayReportReply>(response));
    co_return ok();
}

net::Task<void> ControlFeed::report(std::string public_url) {
    Trouble trouble(log_, with_.clock, with_.random);
    net::Signal::Subscription wake(signal_, std::string(kChanged));
    while (true) {
        const Status reported = co_await report_once(public_url);
        std::chrono::nanoseconds pause = settings_.report_every;
        if (reported) {
            trouble.worked();
        } else if (reported.error().code == ErrorCode::kCancelled) {
            co_return reported;
        } else {
            pause = trouble.failed("cannot report to the control plane", reported.error());
        }
        CO_TRY_STATUS(co_await wake.wait(pause));
    }
}

net::Task<void> ControlFeed::send_usage(std::vector<protocol::GatewayUsageLine> lines) {
    net::HttpRequest call = request(net::Method::kPost, "/api/gateway/usage");
    call.headers.add("Content-Type", "application/json");
    call.body = to_json(protocol::GatewayUsage{.lines = std::move(lines)});
    CO_TRY(const auto response, co_await with_.http.send(std::move(call)));
    const auto reply = net::read_json_reply<protocol::GatewayUsageReply>(response);
    if (reply) {
        co_return ok();
    }
    // Only what our server itself says of the lines is for good; a proxy's page or a redirect is
    // not.
    Error error = reply.error();
    const bool is_ours =
        response.headers.get("content-type").starts_with("application/problem+json");
    if (response.status != 422 || !is_ours) {
        error.code = ErrorCode::kUnavailable;
    }
    co_return error;
}

net::Task<net::HttpStream> ControlFeed::open_blob(Sha256Digest digest) {
    net::HttpRequest call = request(net::Method::kGet, fmt::format("/api/blobs/{}", digest));
    call.total_time_max = milliseconds(0);  // any size: what counts is that bytes keep coming
    call.body_bytes_max = kBlobBytesMax;
    CO_TRY(net::HttpStream stream, co_await with_.http.open(std::move(call)));
    if (!stream.head.is_success()) {
        co_return net::to_error(stream.head);
    }
    co_return stream;
}

Result<std::string> gateway_id_in(const std::filesystem::path& folder, Random& random) {
    const auto path = folder / "gateway.id";
    auto kept = read_file(path, kSmallFileBytesMax);
    if (kept) {
        std::string id(trimmed(*kept));
        TRY_STATUS(check_path_id(id));
        return id;
    }
    if (kept.error().code != ErrorCode::kNotFound) {
        return std::move(kept).error();
    }
    std::array<std::byte, 8> bytes{};
    random.fill(bytes);
    const void* raw = bytes.data();
    std::string id =
        "gw_" + crypto::to_hex(std::string_view(static_cast<const char*>(raw), bytes.size()));
    TRY_STATUS(write_file_atomically(path, id + "\n"));
    return id;
}

}  // namespace nexa::gateway
