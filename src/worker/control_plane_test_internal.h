// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/sha256.h"
#include "crypto/dsse.h"
#include "crypto/ed25519.h"
#include "fakes/http_host.h"
#include "fleet/envelope.h"
#include "fleet/registration.h"
#include "net/typed_route.h"
#include "protocol/envelope.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "protocol/upload_plan.h"
#include "protocol/worker_messages.h"

namespace nexa::worker {

/// A control plane over real HTTP that leases each offered job once and keeps what workers say.
/// Thread-safe.
class FakeControlPlane {
public:
    std::string url() const { return host_.url(); }
    std::string key() const { return "nexa_wk_test"; }

    // What the test sets up, before the worker sees it.
    std::atomic<bool> accept_key = true;
    std::atomic<bool> forge_specs = false;
    std::atomic<bool> refuse_reports = false;
    std::atomic<bool> refuse_completed = false;
    std::atomic<bool> check_signatures = true;
    std::atomic<int> complete_failures = 0;
    std::atomic<int> spec_fence_offset = 0;
    std::atomic<double> lease_seconds = 60;
    std::atomic<std::chrono::seconds> clock_shift{};  ///< of what it says in heartbeats
    std::string job_type = "echo";                    ///< of all jobs offered from now on
    std::string payload = "{}";

    void change_key() {
        const std::lock_guard lock(mutex_);
        key_ = key_of('n');
    }
    /// What reports of a job are answered once an event of it has come, so that its engine runs.
    void set_action(std::string action) {
        const std::lock_guard lock(mutex_);
        action_ = std::move(action);
    }
    void set_blob(const Sha256Digest& digest, std::string bytes) {
        const std::lock_guard lock(mutex_);
        blobs_[digest.prefixed()] = std::move(bytes);
    }
    std::string blob(const Sha256Digest& digest) {
        const std::lock_guard lock(mutex_);
        return blobs_[digest.prefixed()];
    }
    /// For all jobs offered from now on.
    void give_input(std::string name, std::string path, const std::string& bytes) {
        set_blob(sha256(bytes), bytes);
        const std::lock_guard lock(mutex_);
        inputs_.push_back({
            .name = std::move(name),
            .artifact_id = "ds_0",
            .kind = "dataset",
            .root_digest = sha256("root").prefixed(),
            .files = {{
                .path = std::move(path),
                .digest = sha256(bytes).prefixed(),
                .size = static_cast<std::int64_t>(bytes.size()),
            }},
        });
    }
    void offer(std::string job_id, std::int64_t fence) {
        const std::lock_guard lock(mutex_);
        offered_.push_back({
            .job_id = std::move(job_id),
            .job_type = job_type,
            .worker_id = "wk_1",
            .fence = fence,
            .payload = JsonText{payload},
            .inputs = inputs_,
        });
    }

    // What the worker did.
    template <class Condition>
    bool wait_until(Condition condition) {
        // Files on the disk tell nobody that they came or went, so it looks again from time to
        // time.
        for (int looks = 0; looks < 1'000; ++looks) {
            if (condition()) {
                return true;
            }
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, std::chrono::milliseconds(20));
        }
        return false;
    }
    bool wait_for_reports(std::size_t count) {
        return wait_until([&] {
            const std::lock_guard lock(mutex_);
            return reports_ >= count;
        });
    }
    std::size_t results() {
        const std::lock_guard lock(mutex_);
        return results_.size();
    }
    protocol::JobResult wait_for_result(std::size_t number) {
        const bool came = wait_until([&] { return results() > number; });
        EXPECT_TRUE(came) << "no result came";
        const std::lock_guard lock(mutex_);
        return came ? results_[number] : protocol::JobResult{};
    }
    std::string log(const std::string& job_id) {
        const std::lock_guard lock(mutex_);
        return logs_[job_id];
    }
    std::vector<protocol::Heartbeat> beats() {
        const std::lock_guard lock(mutex_);
        return beats_;
    }
    std::vector<protocol::EngineEvent> events(const std::string& job_id) {
        const std::lock_guard lock(mutex_);
        return events_[job_id];
    }

private:
    static crypto::Ed25519PrivateKey key_of(char seed) {
        return *crypto::Ed25519PrivateKey::from_seed(
            std::string(crypto::Ed25519PrivateKey::kSeedSize, seed)
        );
    }

    template <class Reply, class Body>
    net::Route post(
        std::string path, net::Task<Reply> (FakeControlPlane::*member)(net::Call, Body)
    ) {
        std::string id = path.substr(path.rfind('/') + 1);
        return net::typed(
            {.method = net::Method::kPost, .path = std::move(path), .operation_id = std::move(id)},
            *this,
            member
        );
    }

    net::Task<net::Principal> authenticate(net::AuthRequest request) {
        if (!accept_key || request.head->headers.get("x-nexa-api-key") != key()) {
            co_return Error::unauthenticated("no such key");
        }
        co_return net::Principal{.id = "worker"};
    }

    net::Task<protocol::RegisterReply> register_worker(net::Call, protocol::Envelope envelope) {
        CO_TRY(const auto registration, fleet::open_registration(envelope, clock_.now()));
        const std::lock_guard lock(mutex_);
        worker_key_ = registration.public_key;
        co_return protocol::RegisterReply{
            .worker_id = "wk_1",
            .status = "approved",
            .coordinator_key = key_.public_key().to_base64(),
        };
    }

    net::Task<protocol::NextJobReply> next_job(net::Call, protocol::NextJobRequest request) {
        constexpr std::chrono::milliseconds kPause{20};
        const auto looks =
            static_cast<int>(request.wait_seconds * 1000 / static_cast<double>(kPause.count()));
        for (int look = 0; look <= looks; ++look) {
            protocol::NextJobReply reply = take_offer(static_cast<std::size_t>(request.slots));
            if (!reply.jobs.empty()) {
                co_return reply;
            }
            CO_TRY_STATUS(co_await net::sleep_for(kPause));
        }
        co_return protocol::NextJobReply{};
    }

    protocol::NextJobReply take_offer(std::size_t slots) {
        const std::lock_guard lock(mutex_);
        protocol::NextJobReply reply;
        while (!offered_.empty() && reply.jobs.size() < slots) {
            protocol::JobSpec spec = offered_.front();
            offered_.erase(offered_.begin());
            protocol::LeasedJob lease{
                .job_id = spec.job_id, .fence = spec.fence, .lease_seconds = lease_seconds
            };
            spec.fence += spec_fence_offset;
            const auto& signer = forge_specs ? forger_ : key_;
            lease.spec = fleet::to_message(
                crypto::sign_dsse(protocol::kJobSpecPayloadType, to_json(spec), signer)
            );
            reply.jobs.push_back(std::move(lease));
        }
        return reply;
    }

    net::Task<protocol::ReportReply> report(net::Call, protocol::ReportRequest request) {
        if (refuse_reports) {
            co_return Error::unavailable("not now");
        }
        const std::lock_guard lock(mutex_);
        protocol::ReportReply reply;
        for (protocol::JobReport& job : request.jobs) {
            std::string& log = logs_[job.job_id];
            if (job.log_offset == static_cast<std::int64_t>(log.size())) {
                log += job.log;
            }
            std::ranges::move(job.events, std::back_inserter(events_[job.job_id]));
            reply.jobs.push_back(
                {.job_id = job.job_id,
                 .action = events_[job.job_id].empty() ? "go_on" : action_,
                 .log_bytes = static_cast<std::int64_t>(log.size())}
            );
        }
        ++reports_;
        changed_.notify_all();
        co_return reply;
    }

    net::Task<protocol::CompleteReply> complete(net::Call, protocol::CompleteRequest request) {
        if (complete_failures > 0) {
            --complete_failures;
            co_return Error::unavailable("not now");
        }
        const std::lock_guard lock(mutex_);
        protocol::CompleteReply reply;
        for (const protocol::Envelope& envelope : request.results) {
            CO_TRY(const auto opened, fleet::from_message(envelope));
            if (check_signatures) {
                CO_TRY_STATUS(
                    fleet::verify_signed_by(opened, protocol::kJobResultPayloadType, worker_key_)
                );
            }
            CO_TRY(auto result, from_json<protocol::JobResult>(opened.payload));
            if (refuse_completed && result.outcome == "completed") {
                reply.results.push_back(
                    {.job_id = result.job_id,
                     .status = 422,
                     .code = "invalid_argument",
                     .detail = "no"}
                );
                continue;
            }
            reply.results.push_back({.job_id = result.job_id});
            results_.push_back(std::move(result));
        }
        changed_.notify_all();
        co_return reply;
    }

    net::Task<protocol::HeartbeatReply> heartbeat(net::Call, protocol::Heartbeat beat) {
        {
            const std::lock_guard lock(mutex_);
            beats_.push_back(beat);
        }
        changed_.notify_all();
        co_return protocol::HeartbeatReply{
            .worker_id = beat.worker_id,
            .status = "approved",
            .server_time = to_rfc3339(clock_.now() + clock_shift.load()),
        };
    }

    net::Task<net::Response> get_blob(net::Request request) {
        const std::lock_guard lock(mutex_);
        const auto found = blobs_.find(request.parameter("digest"));
        if (found == blobs_.end()) {
            co_return Error::not_found("no such blob");
        }
        co_return net::Response::text(found->second, "application/octet-stream");
    }

    net::Task<net::Response> put_blob(net::Request request) {
        if (sha256(request.body).prefixed() != request.parameter("digest")) {
            co_return Error::data_loss("other bytes");
        }
        const std::lock_guard lock(mutex_);
        blobs_[request.parameter("digest")] = std::move(request.body);
        co_return net::Response::empty();
    }

    net::Task<protocol::UploadPlan> plan_blob(net::Call call, protocol::UploadWish) {
        const std::lock_guard lock(mutex_);
        const bool is_there = blobs_.contains(call.parameter("digest"));
        co_return protocol::UploadPlan{.state = is_there ? "stored" : "here"};
    }

    std::vector<net::Route> routes() {
        using net::Method;
        const std::string blobs = "/api/workers/blobs/{digest}";
        std::vector<net::Route> routes;
        routes.push_back(post("/api/workers/register", &FakeControlPlane::register_worker));
        routes.push_back(post("/api/workers/next_job", &FakeControlPlane::next_job));
        routes.push_back(post("/api/workers/report", &FakeControlPlane::report));
        routes.push_back(post("/api/workers/complete", &FakeControlPlane::complete));
        routes.push_back(post("/api/workers/heartbeat", &FakeControlPlane::heartbeat));
        routes.push_back(post(blobs + "/plan", &FakeControlPlane::plan_blob));
        routes.push_back({
            .method = Method::kGet,
            .path = blobs,
            .operation_id = "blob_get",
            .handler = [this](net::Request request) { return get_blob(std::move(request)); },
        });
        routes.push_back({
            .method = Method::kPut,
            .path = blobs,
            .operation_id = "blob_put",
            .body_bytes_max = 1 << 20,
            .content_types = {},
            .handler = [this](net::Request request) { return put_blob(std::move(request)); },
        });
        return routes;
    }
    net::HttpServerHooks hooks() {
        return {
            .authenticate = [this](net::AuthRequest request
                            ) { return authenticate(std::move(request)); },
            .make_request_id = [this] { return fmt::format("req_{}", ++request_ids_); },
        };
    }

    SystemClock clock_;
    std::atomic<int> request_ids_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    crypto::Ed25519PrivateKey key_ = key_of('k');
    crypto::Ed25519PrivateKey forger_ = key_of('f');
    std::string worker_key_;
    std::string action_ = "go_on";
    std::vector<protocol::JobInput> inputs_;
    std::vector<protocol::JobSpec> offered_;
    std::map<std::string, std::string> blobs_;
    std::map<std::string, std::string> logs_;
    std::map<std::string, std::vector<protocol::EngineEvent>> events_;
    std::vector<protocol::JobResult> results_;
    std::vector<protocol::Heartbeat> beats_;
    std::size_t reports_ = 0;
    fakes::HttpHost host_{routes(), hooks()};
};

}  // namespace nexa::worker
