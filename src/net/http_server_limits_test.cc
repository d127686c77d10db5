// SPDX-License-Identifier: Apache-2.0
//
// Slow clients, many clients, and the end: what takes time or connections rather than bytes.
#include <sys/resource.h>

#include "net/server_test_internal.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

Task<Response> hello(Request) {
    co_return Response::text("hello", "text/plain");
}

Task<Response> large(Request) {
    co_return Response::text(std::string(8 * 1024 * 1024, 'x'), "text/plain");
}

class Gate {
public:
    Task<Response> pass(Request) {
        CO_TRY_STATUS(co_await await_callback<void>([this](Done<void> done) {
            {
                const std::lock_guard lock(mutex_);
                waiting_.push_back(std::move(done));
            }
            entered.set();
        }));
        co_return Response::text("passed", "text/plain");
    }
    void open() {
        const std::lock_guard lock(mutex_);
        for (const auto& done : waiting_) {
            done(ok());
        }
    }
    Event entered;

private:
    std::mutex mutex_;
    std::vector<Done<void>> waiting_;
};

class HttpServerLimitsTest : public ServerTest {
protected:
    std::vector<Route> routes() {
        return {
            {.path = "/hello", .auth = Auth::kPublic, .handler = hello},
            {.path = "/large", .auth = Auth::kPublic, .handler = large},
            {.path = "/gate",
             .auth = Auth::kPublic,
             .handler = [this](Request request) { return gate.pass(std::move(request)); }},
            {.method = Method::kPost,
             .path = "/echo",
             .auth = Auth::kPublic,
             .body_bytes_max = 1'000'000,
             .content_types = {},
             .handler = hello},
        };
    }
    Gate gate;
};

TEST_F(HttpServerLimitsTest, AHeadThatTricklesInIsRefusedWhateverItsPace) {
    options.head_time_max = 60ms;
    start(routes());
    RawClient raw(server->port());
    raw.send("GET /hello HTTP/1.1\r\n");
    const auto begin = std::chrono::steady_clock::now();
    // A byte every 5 ms, for ever: only a limit on the whole head ends this.
    while (std::chrono::steady_clock::now() - begin < 5s && raw.send("X")) {
        std::this_thread::sleep_for(5ms);
        if (server->stats().requests > 0) {
            break;
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
    EXPECT_EQ(raw.read_response().status, 408);
    EXPECT_TRUE(raw.is_closed());
}

TEST_F(HttpServerLimitsTest, AnIdleConnectionIsClosedWithoutAWord) {
    options.idle_time_max = 40ms;
    start(routes());
    RawClient silent(server->port());
    EXPECT_TRUE(silent.is_closed());
    RawClient used(server->port());
    EXPECT_EQ(used.ask(get("/hello")).status, 200);
    EXPECT_TRUE(used.is_closed());
}

TEST_F(HttpServerLimitsTest, ABodyThatStopsIsRefused) {
    options.body_idle_max = 40ms;
    start(routes());
    RawClient raw(server->port());
    raw.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
    EXPECT_EQ(raw.read_response().status, 408);
    EXPECT_TRUE(raw.is_closed());
}

TEST_F(HttpServerLimitsTest, ABodyThatTricklesInIsRefused) {
    options.body_time_max = 60ms;
    start(routes());
    RawClient raw(server->port());
    raw.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 1000 && server->stats().requests == 0 && raw.send("x"); ++i) {
        std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(raw.read_response().status, 408);
}

TEST_F(HttpServerLimitsTest, AClientThatDoesNotReadIsCutOff) {
    options.write_idle_max = 50ms;
    start(routes());
    RawClient raw(server->port());
    raw.send(get("/large"));
    EXPECT_EQ(wait_for_record(0).status, 499);
    EXPECT_TRUE(wait_until([this] { return server->stats().connections_open == 0; }));
}

TEST_F(HttpServerLimitsTest, AClientThatVanishesInTheMiddleLeavesNothing) {
    start(routes());
    for (const char* bytes :
         {"",
          "GE",
          "GET /hello HTTP/1.1\r\nHo",
          "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc",
          "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
          "GET /large HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        RawClient raw(server->port());
        raw.send(bytes);
    }
    EXPECT_TRUE(wait_until([this] {
        return server->stats().connections_accepted == 6 && server->stats().connections_open == 0;
    }));
    EXPECT_EQ(RawClient(server->port()).ask(get("/hello")).status, 200);
}

TEST_F(HttpServerLimitsTest, RefusesConnectionsOverTheTotal) {
    options.connections_max = 2;
    start(routes());
    RawClient first(server->port());
    RawClient second(server->port());
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    EXPECT_EQ(second.ask(get("/hello")).status, 200);
    RawClient third(server->port());
    const RawResponse refused = third.ask(get("/hello"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_TRUE(refused.has("retry-after: 1\r\n"));
    EXPECT_TRUE(third.is_closed());
    EXPECT_EQ(server->stats().connections_refused, 1U);
    first.hang_up();
    EXPECT_TRUE(wait_until([this] { return server->stats().connections_open == 1; }));
    EXPECT_EQ(RawClient(server->port()).ask(get("/hello")).status, 200);
}

TEST_F(HttpServerLimitsTest, RefusesConnectionsOverTheAddressesShare) {
    options.connections_per_address_max = 1;
    start(routes());
    RawClient first(server->port());
    EXPECT_EQ(first.ask(get("/hello")).status, 200);
    const RawResponse refused = RawClient(server->port()).ask(get("/hello"));
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(refused.has("retry-after: 1\r\n"));
}

TEST_F(HttpServerLimitsTest, HoldsAThousandIdleConnectionsAndStillAnswers) {
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 2200) {
        GTEST_SKIP() << "needs 2,200 open files, has " << files.rlim_cur;
    }
    start(routes());
    std::vector<std::unique_ptr<RawClient>> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(std::make_unique<RawClient>(server->port()));
        ASSERT_TRUE(idle.back()->connected()) << i;
    }
    EXPECT_TRUE(wait_until([this] { return server->stats().connections_open == 1000; }));
    EXPECT_EQ(RawClient(server->port()).ask(get("/hello")).status, 200);
    EXPECT_EQ(idle[17]->ask(get("/hello")).status, 200);
    EXPECT_EQ(idle[999]->ask(get("/hello")).status, 200);
    blocking::stop(io, *server, 1h);
    EXPECT_EQ(server->stats().connections_open, 0U);
    EXPECT_TRUE(idle[0]->is_closed());
}

TEST_F(HttpServerLimitsTest, DrainFinishesWhatRunsAndTakesNothingNew) {
    start(routes());
    RawClient idle(server->port());
    EXPECT_EQ(idle.ask(get("/hello")).status, 200);
    RawClient running(server->port());
    running.send(get("/gate"));
    ASSERT_TRUE(gate.entered.wait());
    std::thread stopper([this] { blocking::stop(io, *server, 1h); });
    EXPECT_TRUE(idle.is_closed());
    EXPECT_FALSE(RawClient(server->port()).connected());
    gate.open();
    const RawResponse last = running.read_response();
    EXPECT_EQ(last.body, "passed");
    EXPECT_TRUE(last.has("connection: close"));
    EXPECT_TRUE(running.is_closed());
    running.hang_up();
    stopper.join();
}

TEST_F(HttpServerLimitsTest, DrainCancelsWhatDoesNotEndInTime) {
    start(routes());
    RawClient running(server->port());
    running.send(get("/gate"));
    ASSERT_TRUE(gate.entered.wait());
    blocking::stop(io, *server, 20ms);
    EXPECT_TRUE(running.is_closed());
    EXPECT_EQ(wait_for_record(0).status, 499);
}

TEST_F(HttpServerLimitsTest, ManyClientsAtOnceAreAllAnswered) {
    start(routes());
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
        clients.emplace_back([&] {
            for (int round = 0; round < 20; ++round) {
                RawClient raw(server->port());
                for (int request = 0; request < 5; ++request) {
                    answered += raw.ask(get("/hello")).status == 200 ? 1 : 0;
                }
            }
        });
    }
    for (std::thread& thread : clients) {
        thread.join();
    }
    EXPECT_EQ(answered, 800);
}

}  // namespace
}  // namespace nexa::net
