// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"
#include "core/retry.h"
#include "net/http_types.h"

namespace nexa::net {

enum class RetryWhen : std::uint8_t {
    kIdempotent,  ///< GET, HEAD, PUT, DELETE, OPTIONS, and whatever has an Idempotency-Key
    kNever,
    kAlways,
};

struct HttpRequest {
    Method method = Method::kGet;
    std::string url;  ///< http or https; a password in it never reaches an error message
    Headers headers = {};
    std::string body = {};
    /// Sent instead of `body`, from the disk, a piece at a time.
    std::filesystem::path upload_file = {};
    /// Connect to this Unix socket instead of the URL's host.
    std::filesystem::path unix_socket = {};

    std::chrono::milliseconds total_time_max{60'000};  ///< of one attempt; zero: no limit
    std::chrono::seconds idle_time_max{30};  ///< without a byte either way; zero: no limit
    std::uint64_t body_bytes_max = 64ULL * 1024 * 1024;  ///< of the reply, as held or streamed
    RetryWhen retry = RetryWhen::kIdempotent;
};

/// A reply, whatever its status: to_error() makes an Error of a bad one.
struct HttpResponse {
    int status = 0;
    Headers headers;
    std::string body;
    std::string url;  ///< after redirects

    bool is_success() const { return status >= 200 && status < 300; }
};

/// The Error that a reply with a status of 400 or more stands for: its code, param and hint if the
/// body is a problem document, else by the status.
Error to_error(const HttpResponse& response);

/// How long the reply's Retry-After asks to stay away, as seconds or as a date; zero without one,
/// two minutes at most.
std::chrono::seconds retry_after(const HttpResponse& response, Timestamp now);

struct HttpClientOptions {
    /// "http://proxy:3128"; empty: none. The environment's is never used.
    std::string proxy = {};
    std::string no_proxy = {};  ///< hosts reached without it, separated by commas
    std::string ca_file = {};   ///< empty: the system's
    std::string user_agent = "nexa";
    int redirects_max = 5;
    std::chrono::milliseconds connect_time_max{5'000};
    std::size_t connections_max = 64;
    std::size_t connections_per_host_max = 16;
    std::size_t transfers_max = 1'024;  ///< running and waiting; more are refused
    RetryPolicy retry = {
        .attempts = 3,
        .base = std::chrono::milliseconds(500),
        .cap = std::chrono::seconds(8),
        .total_max = std::chrono::seconds(120),
    };
};

/// A reply whose body is still coming.
struct HttpStream {
    HttpResponse head;  ///< without a body
    /// Letting go of it ends the transfer. Reading slowly slows the sender down.
    std::shared_ptr<BodySource> body;
};

/// An HTTP client with connections that are reused, driven by a thread of its own. Thread-safe.
///
/// Errors of all calls: kUnavailable (no connection, or it broke; names the URL without its query),
/// kDeadlineExceeded (total or idle), kResourceExhausted (reply too large, or too many transfers),
/// kInvalidArgument (URL, header), kCancelled.
class HttpClient {
public:
    HttpClient(HttpClientOptions options, const Clock& clock, Random& random);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Sends, retries as the request and the options say (no connection, or 408, 429, 502, 503,
    /// 504; Retry-After of up to two minutes is honored), and returns the last reply or error.
    Task<HttpResponse> send(HttpRequest request);
    /// Sends once; returns when the head of the reply is there.
    Task<HttpStream> open(HttpRequest request);
    /// Blocks: cancels all transfers and ends the thread. Repeatable.
    void stop();

private:
    const HttpClientOptions options_;
    const Clock& clock_;
    Random& random_;
    class Engine;
    std::shared_ptr<Engine>
        engine_;  // open streams keep a weak pointer, to resume or end transfers
};

namespace blocking {

/// The same for command lines: every call blocks until its reply is whole. Reuses its connection.
/// Not thread-safe; not on an io thread.
class HttpClient {
public:
    /// Takes the next piece of a body. An error ends the transfer and is what send() returns.
    using BodySink = std::function<Status(std::string_view)>;

    HttpClient(HttpClientOptions options, RetryTools tools);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// The body of a successful reply goes to `sink` if there is one, else into the response.
    /// What has begun to reach the sink is not retried.
    Result<HttpResponse> send(const HttpRequest& request, const BodySink& sink = {});

private:
    struct Handle;
    const HttpClientOptions options_;
    RetryTools tools_;
    std::unique_ptr<Handle> handle_;
};

}  // namespace blocking

}  // namespace nexa::net
