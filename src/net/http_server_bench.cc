// SPDX-License-Identifier: Apache-2.0
//
// Requests a second over loopback: 64 keep-alive connections that ask in turn, one io thread.
#include "net/http_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/check.h"

namespace nexa::net {
namespace {

constexpr std::string_view kRequest =
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Content-Length: 27\r\nAuthorization: Bearer x\r\n\r\n{\"worker_id\":\"w1\",\"slots\":1}";

Task<Response> echo(Request request) {
    co_return Response::json(std::move(request.body));
}

Task<Principal> anyone(AuthRequest) {
    co_return Principal{.id = "bench", .tenant_id = "", .details = {}};
}

int connect_to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* raw = &address;
    NEXA_CHECK(::connect(fd, static_cast<const sockaddr*>(raw), sizeof(address)) == 0);
    return fd;
}

void post_small_bodies(benchmark::State& state) {
    constexpr int kConnections = 64;
    const SystemClock clock;
    IoPool io;
    HttpServerHooks hooks{.authenticate = anyone, .make_request_id = [] { return "req_bench"; }};
    std::vector<Route> routes{{
        .method = Method::kPost,
        .path = "/echo",
        .body_bytes_max = 1000,
        .handler = echo,
    }};
    auto server = HttpServer::start(io, clock, {}, std::move(hooks), Router(std::move(routes)));
    NEXA_CHECK(server.has_value());
    std::vector<int> connections;
    for (int i = 0; i < kConnections; ++i) {
        connections.push_back(connect_to((*server)->port()));
    }
    std::array<char, 4096> buffer{};
    for (auto _ : state) {
        for (const int fd : connections) {
            NEXA_CHECK(::send(fd, kRequest.data(), kRequest.size(), 0) > 0);
        }
        for (const int fd : connections) {
            NEXA_CHECK(::recv(fd, buffer.data(), buffer.size(), 0) > 0);
        }
    }
    state.SetItemsProcessed(state.iterations() * kConnections);
    for (const int fd : connections) {
        ::close(fd);
    }
    blocking::stop(io, **server, std::chrono::milliseconds(100));
}
BENCHMARK(post_small_bodies)->UseRealTime();

}  // namespace
}  // namespace nexa::net
