// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "net/http_types.h"
#include "net/pools.h"
#include "net/router.h"

namespace nexa::net {

struct HttpServerOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;  ///< 0: any free one, see HttpServer::port()
    std::size_t connections_max = 10'000;
    std::size_t connections_per_address_max = 2'000;

    std::size_t target_bytes_max = 8 * 1024;
    std::size_t head_bytes_max = 32 * 1024;  ///< request line and header fields together
    std::size_t headers_max = 100;

    std::chrono::milliseconds head_time_max{10'000};     ///< from its first byte to its last
    std::chrono::milliseconds idle_time_max{75'000};     ///< between requests
    std::chrono::milliseconds body_idle_max{30'000};     ///< between two bytes of a body
    std::chrono::milliseconds body_time_max{3'600'000};  ///< a whole body
    std::chrono::milliseconds write_idle_max{30'000};    ///< in which the peer takes no byte
    std::chrono::milliseconds handler_time_max{60'000};  ///< authenticator and handler together
    std::chrono::milliseconds linger_time_max{1'000};    ///< for the peer to read a last refusal
};

/// One answered, or given up, request: what an access log line needs.
struct RequestRecord {
    std::string method;
    std::string path;
    std::string operation_id;  ///< empty if no route was found
    std::string request_id;
    std::string principal_id;
    std::string peer_address;
    int status = 0;               ///< 499 if the client went before the answer did
    std::uint64_t bytes_in = 0;   ///< of the body
    std::uint64_t bytes_out = 0;  ///< head and body, as sent
    std::chrono::nanoseconds duration{0};
    std::string error;  ///< what was refused and why; may be empty
};

/// What the authenticator is asked: may the caller use this row?
struct AuthRequest {
    std::shared_ptr<const RequestHead> head;
    const Route* route;  ///< its `auth` and `scope`; outlives the server
};

/// What the server is given by its owner. All are called on io threads and must not block.
struct HttpServerHooks {
    /// Answers for every row that is not public, before a byte of the body is read. Errors:
    /// kUnauthenticated, kPermissionDenied, kResourceExhausted (rate limit), or whatever went
    /// wrong.
    std::function<Task<Principal>(AuthRequest)> authenticate;
    /// A fresh id for a request that brought no valid one.
    std::function<std::string()> make_request_id;
    std::function<void(const RequestRecord&)> on_request_done = {};
    /// What is nobody's request: accept failed, a stream broke off.
    std::function<void(const Error&)> on_error = {};
};

struct HttpServerStats {
    std::uint64_t requests = 0;
    std::uint64_t connections_accepted = 0;
    std::uint64_t connections_refused = 0;
    std::size_t connections_open = 0;
};

/// An HTTP/1.1 server on one address: keep-alive, pipelining, streaming both ways, limits on all
/// that a client may send or hold, and a graceful end.
///
/// Thread-safe. Invariants: stop() has returned before the destructor runs; requests of one
/// connection are answered in their order; no byte of a body is read before the row is known and
/// the caller authenticated.
class HttpServer {
public:
    /// Binds, listens and serves. `io` and `clock` outlive the server. Errors: kUnavailable if the
    /// address cannot be bound, kInvalidArgument if it is none.
    static Result<std::unique_ptr<HttpServer>> start(
        IoPool& io,
        const Clock& clock,
        HttpServerOptions options,
        HttpServerHooks hooks,
        Router router
    );
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::uint16_t port() const;
    std::span<const Route> routes() const;
    HttpServerStats stats() const;

    /// Accepts no more, closes idle connections, lets running requests end for up to `grace`, then
    /// cancels them. Returns when no connection is left. Repeatable.
    Task<void> stop(std::chrono::milliseconds grace);

private:
    class Impl;
    explicit HttpServer(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;  // shared with the accept loop, which may be inside it at the end
};

namespace blocking {
/// HttpServer::stop() for owners without a coroutine. Not on an io thread.
void stop(IoPool& io, HttpServer& server, std::chrono::milliseconds grace);
}  // namespace blocking

}  // namespace nexa::net
