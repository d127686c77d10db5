// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "core/check.h"
#include "core/mutex.h"
#include "net/connection_internal.h"
#include "net/tcp_stream_internal.h"

namespace nexa::net {

namespace {

using asio::ip::tcp;

/// Refusals take a connection each for the second that the client needs to read them.
constexpr std::size_t kRefusalsMax = 256;

Result<tcp::endpoint> endpoint_of(const HttpServerOptions& options) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) {
        return Error::invalid_argument("'{}' is no IP address", options.address).at("address");
    }
    return tcp::endpoint(address, options.port);
}

std::chrono::milliseconds sweep_interval(const HttpServerOptions& options) {
    const auto shortest = std::min(
        {options.head_time_max,
         options.idle_time_max,
         options.body_idle_max,
         options.body_time_max,
         options.write_idle_max,
         options.handler_time_max,
         options.linger_time_max}
    );
    return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(250));
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
public:
    Impl(IoPool& io, std::shared_ptr<ServerCore> core)
        : io_(io),
          core_(std::move(core)),
          accept_executor_(io.serial_executor()),
          acceptor_(accept_executor_),
          tasks_(io, [this](std::string_view, const Error& error) { report(error); }),
          connections_(io, [this](std::string_view, const Error& error) { report(error); }) {}

    Status listen(const tcp::endpoint& endpoint);
    Status run();
    Task<void> stop(std::chrono::milliseconds grace);

    std::uint16_t port() const { return port_; }
    std::span<const Route> routes() const { return core_->router.routes(); }
    HttpServerStats stats() const;

private:
    struct Peer {
        std::shared_ptr<Connection> connection;
        std::string address;
        bool refused = false;
    };
    /// Takes a connection off the books when its coroutine ends, however it does.
    class Registration;

    void report(const Error& error) const {
        if (core_->hooks.on_error) {
            core_->hooks.on_error(error);
        }
    }
    static Task<void> accept_loop(std::shared_ptr<Impl> self);
    static Task<void> sweep_loop(std::shared_ptr<Impl> self, std::chrono::milliseconds interval);
    static Task<void> serve(std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection);
    static Task<void> refuse(
        std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection, HttpError error
    );
    void admit(tcp::socket socket, const asio::any_io_executor& executor);
    std::optional<HttpError> enroll(Peer peer, bool& dropped);
    void forget(const Connection* connection);
    std::vector<std::shared_ptr<Connection>> open_connections() const;

    IoPool& io_;
    const std::shared_ptr<ServerCore> core_;
    const asio::any_io_executor accept_executor_;
    tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    TaskGroup tasks_;
    TaskGroup connections_;

    mutable Mutex mutex_;
    std::unordered_map<const Connection*, Peer> peers_ NEXA_GUARDED_BY(mutex_);
    std::unordered_map<std::string, std::size_t> per_address_ NEXA_GUARDED_BY(mutex_);
    std::size_t refusals_ NEXA_GUARDED_BY(mutex_) = 0;
    std::uint64_t accepted_ NEXA_GUARDED_BY(mutex_) = 0;
    std::uint64_t refused_ NEXA_GUARDED_BY(mutex_) = 0;
};

class HttpServer::Impl::Registration {
public:
    Registration(Impl& impl, const Connection* connection) : impl_(impl), connection_(connection) {}
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() { impl_.forget(connection_); }

private:
    Impl& impl_;
    const Connection* connection_;
};

Status HttpServer::Impl::listen(const tcp::endpoint& endpoint) {
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
        acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
        acceptor_.bind(endpoint, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return Error::unavailable(
                   "cannot listen on {}:{}: {}",
                   endpoint.address().to_string(),
                   endpoint.port(),
                   error.message()
        )
            .hint("choose another port, or stop the program that has it");
    }
    port_ = acceptor_.local_endpoint(error).port();
    return {};
}

Status HttpServer::Impl::run() {
    TRY_STATUS(tasks_.spawn_on(accept_executor_, "accept", accept_loop(shared_from_this())));
    TRY_STATUS(tasks_.spawn("sweep", sweep_loop(shared_from_this(), sweep_interval(core_->options)))
    );
    return {};
}

Task<void> HttpServer::Impl::accept_loop(std::shared_ptr<Impl> self) {
    for (;;) {
        const asio::any_io_executor executor = self->io_.serial_executor();
        auto [error, socket] =
            co_await self->acceptor_.async_accept(executor, asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted) {
            co_return ok();  // stop() has closed the acceptor
        }
        if (error) {
            // Out of descriptors: closing connections gives some back, trying again at once does
            // not.
            self->report(Error::unavailable("cannot accept a connection: {}", error.message()));
            CO_TRY_STATUS(co_await sleep_for(std::chrono::milliseconds(50)));
            continue;
        }
        self->admit(std::move(socket), executor);
    }
}

Task<void> HttpServer::Impl::sweep_loop(
    std::shared_ptr<Impl> self, std::chrono::milliseconds interval
) {
    for (;;) {
        CO_TRY_STATUS(co_await sleep_for(interval));
        const auto now = self->core_->clock.steady_now().time_since_epoch();
        const Lock lock(self->mutex_);
        for (const auto& [key, peer] : self->peers_) {
            peer.connection->sweep(std::chrono::nanoseconds(now).count());
        }
    }
}

Task<void> HttpServer::Impl::serve(
    std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection
) {
    const Registration registration(*self, connection.get());
    const Status ended = co_await Connection::serve(connection);
    co_return ended;
}

Task<void> HttpServer::Impl::refuse(
    std::shared_ptr<Impl> self, std::shared_ptr<Connection> connection, HttpError error
) {
    const Registration registration(*self, connection.get());
    // A client that does not stay to hear the refusal is no error.
    static_cast<void>((co_await Connection::refuse(connection, std::move(error))).has_value());
    co_return ok();
}

std::optional<HttpError> HttpServer::Impl::enroll(Peer peer, bool& dropped) {
    const Lock lock(mutex_);
    ++accepted_;
    std::optional<HttpError> error;
    std::size_t& of_address = per_address_[peer.address];
    if (peers_.size() - refusals_ >= core_->options.connections_max) {
        error = refusal(503, Error::resource_exhausted("the server has no connection to spare"));
    } else if (of_address >= core_->options.connections_per_address_max) {
        error =
            refusal(429, Error::resource_exhausted("{} has too many connections", peer.address));
    }
    if (error) {
        ++refused_;
        dropped = refusals_ >= kRefusalsMax;
        if (of_address == 0) {
            per_address_.erase(peer.address);
        }
        if (dropped) {
            return error;
        }
        ++refusals_;
        peer.refused = true;
    } else {
        ++of_address;
    }
    const Connection* key = peer.connection.get();
    peers_.emplace(key, std::move(peer));
    return error;
}

void HttpServer::Impl::forget(const Connection* connection) {
    Peer peer;  // destroyed after the lock is released: it may be the last owner
    const Lock lock(mutex_);
    const auto found = peers_.find(connection);
    if (found == peers_.end()) {
        return;
    }
    peer = std::move(found->second);
    peers_.erase(found);
    if (peer.refused) {
        --refusals_;
        return;
    }
    const auto count = per_address_.find(peer.address);
    if (--count->second == 0) {
        per_address_.erase(count);
    }
}

void HttpServer::Impl::admit(tcp::socket socket, const asio::any_io_executor& executor) {
    boost::system::error_code error;
    const tcp::endpoint remote = socket.remote_endpoint(error);
    const std::string address = error ? "unknown" : remote.address().to_string();
    const auto connection = std::make_shared<Connection>(
        core_, executor, std::make_unique<TcpStream>(std::move(socket)), address
    );
    bool dropped = false;
    std::optional<HttpError> refused =
        enroll({.connection = connection, .address = address}, dropped);
    if (dropped) {
        return;
    }
    Task<void> task = refused ? refuse(shared_from_this(), connection, std::move(*refused))
                              : serve(shared_from_this(), connection);
    const Result<TaskHandle> handle =
        connections_.spawn_on(executor, "connection", std::move(task));
    if (!handle) {
        forget(connection.get());
        return;
    }
    connection->set_handle(*handle);
}

std::vector<std::shared_ptr<Connection>> HttpServer::Impl::open_connections() const {
    std::vector<std::shared_ptr<Connection>> open;
    const Lock lock(mutex_);
    open.reserve(peers_.size());
    for (const auto& [key, peer] : peers_) {
        open.push_back(peer.connection);
    }
    return open;
}

HttpServerStats HttpServer::Impl::stats() const {
    const Lock lock(mutex_);
    return {
        .requests = core_->requests.load(std::memory_order_relaxed),
        .connections_accepted = accepted_,
        .connections_refused = refused_,
        .connections_open = peers_.size() - refusals_,
    };
}

Task<void> HttpServer::Impl::stop(std::chrono::milliseconds grace) {
    const std::shared_ptr<Impl> self = shared_from_this();
    // The acceptor goes first, on its own executor, so that nothing comes in behind our back; the
    // sweeper stays for the deadlines of what still runs.
    CO_TRY_STATUS(co_await await_callback<void>([self](Done<void> done) {
        asio::post(self->accept_executor_, [self, done = std::move(done)] {
            boost::system::error_code ignored;
            self->acceptor_.close(ignored);
            done(ok());
        });
    }));
    self->core_->draining = true;
    for (const auto& connection : self->open_connections()) {
        connection->drain();
    }
    const Status drained = co_await self->connections_.stop(grace);
    CO_TRY_STATUS(drained);
    co_return co_await self->tasks_.stop();
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(
    IoPool& io, const Clock& clock, HttpServerOptions options, HttpServerHooks hooks, Router router
) {
    NEXA_CHECK(hooks.make_request_id != nullptr);
    NEXA_CHECK(
        hooks.authenticate != nullptr ||
        std::ranges::all_of(
            router.routes(), [](const Route& row) { return row.auth == Auth::kPublic; }
        )
    );
    TRY(const tcp::endpoint endpoint, endpoint_of(options));
    auto core = std::make_shared<ServerCore>(
        clock, std::move(options), std::move(hooks), std::move(router)
    );
    auto impl = std::make_shared<Impl>(io, std::move(core));
    TRY_STATUS(impl->listen(endpoint));
    TRY_STATUS(impl->run());
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const {
    return impl_->port();
}

std::span<const Route> HttpServer::routes() const {
    return impl_->routes();
}

HttpServerStats HttpServer::stats() const {
    return impl_->stats();
}

Task<void> HttpServer::stop(std::chrono::milliseconds grace) {
    return impl_->stop(grace);
}

namespace blocking {

void stop(IoPool& io, HttpServer& server, std::chrono::milliseconds grace) {
    const Status stopped = wait(io.serial_executor(), server.stop(grace));
    NEXA_CHECK(stopped.has_value());
}

}  // namespace blocking

}  // namespace nexa::net
