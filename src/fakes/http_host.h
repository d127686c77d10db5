// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "core/clock.h"
#include "net/http_server.h"
#include "net/pools.h"

namespace nexa::fakes {

/// A real HTTP server on a free port of this machine, with a test's routes. Let it be the last
/// member: its handlers end before what they use.
class HttpHost {
public:
    explicit HttpHost(std::vector<net::Route> routes, net::HttpServerHooks hooks = {}) {
        if (!hooks.make_request_id) {
            hooks.make_request_id = [] { return std::string("r"); };
        }
        auto started = net::HttpServer::start(
            io_, clock_, {}, std::move(hooks), net::Router(std::move(routes))
        );
        if (!started) {
            fmt::print(stderr, "{}\n", started.error().to_string());
        }
        NEXA_CHECK(started.has_value());
        server_ = std::move(*started);
    }
    ~HttpHost() { net::blocking::stop(io_, *server_, std::chrono::milliseconds(0)); }
    HttpHost(const HttpHost&) = delete;
    HttpHost& operator=(const HttpHost&) = delete;

    std::uint16_t port() const { return server_->port(); }
    /// "http://127.0.0.1:4711"
    std::string url() const { return fmt::format("http://127.0.0.1:{}", port()); }

private:
    SystemClock clock_;
    net::IoPool io_{{.threads = 2, .on_error = nullptr}};
    std::unique_ptr<net::HttpServer> server_;
};

}  // namespace nexa::fakes
