// SPDX-License-Identifier: Apache-2.0
#include "worker/control_client.h"

#include <utility>

#include "core/json.h"
#include "net/json_reply.h"

namespace nexa::worker {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCallTimeMax{30'000};
constexpr std::uint64_t kBlobBytesMax = 1ULL << 50U;
/// What an answer may take on top of the wait that was asked for.
constexpr milliseconds kPollSlack{15'000};

/// The request by value and nothing captured: this outlives the call that made it.
template <class Reply>
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives all clients
net::Task<Reply> send_and_decode(net::HttpClient& http, net::HttpRequest request) {
    CO_TRY(const net::HttpResponse response, co_await http.send(std::move(request)));
    co_return net::read_json_reply<Reply>(response);
}

}  // namespace

ControlClient::ControlClient(net::HttpClient& http, std::string server_url, Secret api_key)
    : http_(http), server_url_(std::move(server_url)), api_key_(std::move(api_key)) {
    while (server_url_.ends_with('/')) {
        server_url_.pop_back();
    }
}

net::HttpRequest ControlClient::request(net::Method method, std::string_view path) const {
    net::HttpRequest request{.method = method, .url = fmt::format("{}{}", server_url_, path)};
    request.headers.add("X-Nexa-Api-Key", std::string(api_key_.reveal()));
    request.total_time_max = kCallTimeMax;
    request.retry = net::RetryWhen::kNever;
    return request;
}

template <class Reply, class Body>
net::Task<Reply> ControlClient::post(
    std::string_view path, const Body& body, milliseconds time_max
) {
    net::HttpRequest call = request(net::Method::kPost, path);
    call.headers.add("Content-Type", "application/json");
    call.body = to_json(body);
    call.total_time_max = time_max;
    call.idle_time_max = std::chrono::seconds(0);
    return send_and_decode<Reply>(http_, std::move(call));
}

net::Task<protocol::RegisterReply> ControlClient::register_worker(
    const protocol::Envelope& registration
) {
    return post<protocol::RegisterReply>("/api/workers/register", registration, kCallTimeMax);
}

net::Task<protocol::NextJobReply> ControlClient::next_job(const protocol::NextJobRequest& request) {
    const auto wait =
        std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(request.wait_seconds)
        );
    return post<protocol::NextJobReply>("/api/workers/next_job", request, wait + kPollSlack);
}

net::Task<protocol::ReportReply> ControlClient::report(
    const protocol::ReportRequest& request, milliseconds time_max
) {
    return post<protocol::ReportReply>("/api/workers/report", request, time_max);
}

net::Task<protocol::CompleteReply> ControlClient::complete(const protocol::CompleteRequest& request
) {
    return post<protocol::CompleteReply>("/api/workers/complete", request, kCallTimeMax);
}

net::Task<protocol::HeartbeatReply> ControlClient::heartbeat(const protocol::Heartbeat& beat) {
    constexpr milliseconds kBeatTimeMax{10'000};
    return post<protocol::HeartbeatReply>("/api/workers/heartbeat", beat, kBeatTimeMax);
}

net::HttpRequest ControlClient::blob_request(net::Method method, const Sha256Digest& digest) const {
    net::HttpRequest blob = request(method, fmt::format("/api/workers/blobs/{}", digest));
    blob.total_time_max = milliseconds(0);  // any size: what counts is that bytes keep coming
    return blob;
}

net::Task<net::HttpStream> ControlClient::open_blob(Sha256Digest digest) {
    net::HttpRequest call = blob_request(net::Method::kGet, digest);
    call.body_bytes_max = kBlobBytesMax;
    CO_TRY(net::HttpStream stream, co_await http_.open(std::move(call)));
    if (!stream.head.is_success()) {
        co_return net::to_error(stream.head);
    }
    co_return stream;
}

net::Task<void> ControlClient::put_blob(
    Sha256Digest digest, std::int64_t size, std::filesystem::path file
) {
    const std::string path = fmt::format("/api/workers/blobs/{}/plan", digest);
    const protocol::UploadWish wish{.size = size};
    CO_TRY(
        protocol::UploadPlan plan, co_await post<protocol::UploadPlan>(path, wish, kCallTimeMax)
    );
    if (plan.state == "stored") {
        co_return ok();
    }
    if (plan.state == "link") {
        co_return co_await put_by_link(std::move(plan), std::move(file));
    }
    net::HttpRequest call = blob_request(net::Method::kPut, digest);
    call.headers.add("Content-Type", "application/octet-stream");
    call.upload_file = std::move(file);
    call.retry = net::RetryWhen::kIdempotent;
    CO_TRY(const net::HttpResponse response, co_await http_.send(std::move(call)));
    if (!response.is_success()) {
        co_return net::to_error(response);
    }
    co_return ok();
}

net::Task<void> ControlClient::put_by_link(protocol::UploadPlan plan, std::filesystem::path file) {
    net::HttpRequest call{
        .method = net::Method::kPut,
        .url = std::move(plan.url),
        .upload_file = std::move(file),
        .total_time_max = milliseconds(0),
    };
    for (protocol::UploadHeader& header : plan.headers) {
        call.headers.add(std::move(header.name), std::move(header.value));
    }
    CO_TRY(const net::HttpResponse response, co_await http_.send(std::move(call)));
    if (response.is_success()) {
        co_return ok();
    }
    Error refused = net::to_error(response);
    // The link is over, or the file has changed: a new plan will tell. It is no word about our key.
    if (is_refusal(refused.code) || response.status >= 500) {
        refused.code = ErrorCode::kUnavailable;
    }
    co_return std::move(refused).while_doing("put a file into the store");
}

bool is_refusal(ErrorCode code) {
    return code == ErrorCode::kUnauthenticated || code == ErrorCode::kPermissionDenied;
}

}  // namespace nexa::worker
