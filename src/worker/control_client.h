// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "core/secrets.h"
#include "core/sha256.h"
#include "net/http_client.h"
#include "net/task.h"
#include "protocol/envelope.h"
#include "protocol/lease_messages.h"
#include "protocol/result_messages.h"
#include "protocol/upload_plan.h"
#include "protocol/worker_messages.h"

namespace nexa::worker {

/// The control plane's calls for workers, typed. Thread-safe. Sends each call once, but puts a file
/// up to three times: when to try again is the caller's to say. A request is encoded before its
/// call returns, and need not outlive it. Errors of all: the transport's (kUnavailable,
/// kDeadlineExceeded), those the server answers (a key that it does not take: kUnauthenticated or
/// kPermissionDenied), and kInternal for an answer that cannot be read.
class ControlClient {
public:
    /// `http` outlives it. `server_url` without a path: "https://forge.example:8000".
    ControlClient(net::HttpClient& http, std::string server_url, Secret api_key);

    net::Task<protocol::RegisterReply> register_worker(const protocol::Envelope& registration);
    net::Task<protocol::NextJobReply> next_job(const protocol::NextJobRequest& request);
    net::Task<protocol::ReportReply> report(
        const protocol::ReportRequest& request, std::chrono::milliseconds time_max
    );
    net::Task<protocol::CompleteReply> complete(const protocol::CompleteRequest& request);
    net::Task<protocol::HeartbeatReply> heartbeat(const protocol::Heartbeat& beat);

    /// A blob's bytes as they come; nobody has checked them. Errors: also kNotFound.
    net::Task<net::HttpStream> open_blob(Sha256Digest digest);
    /// Puts the file's bytes, which are those of `digest` and `size` in number, unless they are
    /// there already: to the server, or into its store by a link, which gets no key of ours.
    net::Task<void> put_blob(Sha256Digest digest, std::int64_t size, std::filesystem::path file);

private:
    template <class Reply, class Body>
    net::Task<Reply> post(
        std::string_view path, const Body& body, std::chrono::milliseconds time_max
    );
    net::HttpRequest request(net::Method method, std::string_view path) const;
    net::Task<void> put_by_link(protocol::UploadPlan plan, std::filesystem::path file);
    net::HttpRequest blob_request(net::Method method, const Sha256Digest& digest) const;

    net::HttpClient& http_;
    std::string server_url_;
    Secret api_key_;
};

/// Whether this failure means that the server does not take our key or no longer wants this worker.
bool is_refusal(ErrorCode code);

}  // namespace nexa::worker
