// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <nlohmann/json.hpp>

#include "net/server_test_internal.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

Task<Response> hello(Request) {
    co_return Response::text("hello", "text/plain");
}

Task<Response> echo(Request request) {
    co_return Response::text(std::move(request.body), "text/plain");
}

Task<Response> throws(Request request) {
    co_return Response::text(std::string(1, request.body.at(1000)), "text/plain");
}

Task<Response> fails(Request request) {
    co_return Error::conflict("lease lost: job {}", request.parameter("job_id"));
}

Task<Response> stalls(Request) {
    CO_TRY_STATUS(co_await sleep_for(1h));
    co_return Response::empty();
}

Task<Response> injects(Request request) {
    Response response = Response::text("x", "text/plain");
    response.headers.add("x-echo", std::string(request.head->query.find("v").value_or("")));
    response.headers.add("content-length", "999");
    response.headers.add("x-raw", "a\r\nx-evil: 1");
    co_return response;
}

Task<Response> sums_stream(Request request) {
    std::size_t sum = 0;
    for (;;) {
        CO_TRY(const std::string piece, co_await request.stream->read());
        if (piece.empty()) {
            break;
        }
        sum += piece.size();
    }
    co_return Response::text(std::to_string(sum), "text/plain");
}

Task<Response> ignores_stream(Request) {
    co_return Response::text("no need", "text/plain");
}

Task<Response> describes(Request request) {
    co_return Response::text(
        fmt::format(
            "{} {} {} {}",
            request.parameter("name"),
            request.head->query.find("q").value_or("-"),
            request.principal.id,
            request.head->peer_address
        ),
        "text/plain"
    );
}

std::vector<Route> routes() {
    const auto open = Auth::kPublic;
    return {
        {.path = "/hello", .operation_id = "hello", .auth = open, .handler = hello},
        {.method = Method::kPost,
         .path = "/echo",
         .auth = open,
         .body_bytes_max = 100'000,
         .content_types = {},
         .handler = echo},
        {.method = Method::kPost,
         .path = "/json",
         .auth = open,
         .body_bytes_max = 100,
         .handler = echo},
        {.method = Method::kPost,
         .path = "/private",
         .operation_id = "private",
         .scope = "jobs",
         .body_bytes_max = 1'000'000,
         .handler = echo},
        {.path = "/v1/private", .dialect = Dialect::kOpenai, .handler = hello},
        {.path = "/admin", .scope = "admin", .handler = hello},
        {.path = "/things/{name}", .handler = describes},
        {.path = "/throws", .auth = open, .handler = throws},
        {.path = "/jobs/{job_id}/fail", .auth = open, .handler = fails},
        {.path = "/injects", .auth = open, .handler = injects},
        {.path = "/stalls", .auth = open, .handler = stalls, .time_max = 30ms},
        {.path = "/stalls/watched", .auth = open, .handler = stalls, .cancel_when_client_goes = true
        },
        {.method = Method::kPut,
         .path = "/upload",
         .auth = open,
         .body_bytes_max = 50'000'000,
         .body_mode = BodyMode::kStream,
         .content_types = {},
         .handler = sums_stream},
        {.method = Method::kPut,
         .path = "/ignored",
         .auth = open,
         .body_bytes_max = 50'000'000,
         .body_mode = BodyMode::kStream,
         .content_types = {},
         .handler = ignores_stream},
    };
}

class HttpServerTest : public ServerTest {
protected:
    /// The status of the answer to these raw bytes, and that the connection then ends.
    int refused(std::string_view bytes) {
        RawClient raw(server->port());
        raw.send(bytes);
        const int status = raw.read_response().status;
        EXPECT_TRUE(raw.is_closed()) << bytes.substr(0, 60);
        return status;
    }
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
    start(routes());
    RawClient raw(server->port());
    const RawResponse first = raw.ask(get("/hello"));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "hello");
    EXPECT_TRUE(first.has("content-type: text/plain\r\n"));
    EXPECT_TRUE(first.has("date: "));
    EXPECT_FALSE(first.has("connection: close"));
    EXPECT_EQ(raw.ask(post("/echo", "abc")).body, "abc");
    EXPECT_EQ(raw.ask(post("/echo", "")).body, "");
    EXPECT_EQ(raw.ask(get("/hello", "Connection: close\r\n")).body, "hello");
    EXPECT_TRUE(raw.is_closed());
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
    start(routes());
    RawClient raw(server->port());
    std::string requests;
    for (int i = 0; i < 200; ++i) {
        requests += post("/echo", fmt::format("body {}", i));
    }
    ASSERT_TRUE(raw.send(requests));
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(raw.read_response().body, fmt::format("body {}", i));
    }
}

TEST_F(HttpServerTest, ReadsARequestThatComesByteByByte) {
    start(routes());
    RawClient raw(server->port());
    for (const char c : post("/echo", "slow but whole")) {
        ASSERT_TRUE(raw.send(std::string_view(&c, 1)));
    }
    EXPECT_EQ(raw.read_response().body, "slow but whole");
}

TEST_F(HttpServerTest, EveryReplyHasARequestId) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_TRUE(raw.ask(get("/hello", "X-Request-Id: mine-1\r\n")).has("x-request-id: mine-1\r\n"));
    EXPECT_TRUE(raw.ask(get("/hello")).has("x-request-id: req_"));
    EXPECT_TRUE(raw.ask(get("/hello", "X-Request-Id: a b\r\n")).has("x-request-id: req_"));
    EXPECT_TRUE(raw.ask(get("/nowhere", "X-Request-Id: n\r\n")).has("x-request-id: n\r\n"));
    RawClient broken(server->port());
    EXPECT_TRUE(broken.ask("nonsense\r\n\r\n").has("x-request-id: req_"));
}

TEST_F(HttpServerTest, ChunkedBodiesCountTowardsTheLimit) {
    start(routes());
    RawClient raw(server->port());
    const std::string head = "POST /json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(
        raw.ask(head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n").body,
        "hello world"
    );
    EXPECT_EQ(raw.ask(head + "64\r\n" + std::string(100, 'x') + "\r\n0\r\n\r\n").status, 200);
    EXPECT_EQ(refused(head + "65\r\n" + std::string(101, 'x') + "\r\n0\r\n\r\n"), 413);
    EXPECT_EQ(refused(head + "5\r\nhello\r\n60\r\n" + std::string(96, 'x') + "\r\n0\r\n\r\n"), 413);
}

TEST_F(HttpServerTest, RefusesWhatAProxyMightReadDifferently) {
    start(routes());
    const std::string line = "POST /echo HTTP/1.1\r\nHost: h\r\n";
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(refused(line + "Content-Length: 5\r\n" + chunked + "\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Content-Length: 5, 5\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Content-Length: -1\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "Content-Length: +5\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Content-Length: 0x5\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Content-Length: 99999999999999999999\r\n\r\nhello"), 400);
    EXPECT_EQ(refused(line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "Transfer-Encoding: identity\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + chunked + "\r\n0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + "\r\nzz\r\nhello\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + "\r\n-5\r\nhello\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + "\r\n11111111111111111\r\nhello\r\n"), 400);
    EXPECT_EQ(refused(line + chunked + "\r\n5\r\nhelloXX0\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "X-A: b\r\n folded\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "X-A : b\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "X A: b\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + ": b\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + "X-A: a\nX-B: b\r\n\r\n"), 400);
    EXPECT_EQ(refused(line + std::string("X-A: a\0b\r\n\r\n", 12)), 400);
    EXPECT_EQ(refused("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
    start(routes());
    EXPECT_EQ(refused("nonsense\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET /hello\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET  /hello HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("G\tT /hello HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET /hello HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
    EXPECT_EQ(refused("GET /hello HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
    EXPECT_EQ(refused("GET /hello HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET hello HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("GET /hello?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("CONNECT db:5432 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    EXPECT_EQ(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
    EXPECT_EQ(refused(std::string("\x16\x03\x01\x02\0\x01\r\n\r\n", 10)), 400);
}

TEST_F(HttpServerTest, LimitsTheHead) {
    options.target_bytes_max = 100;
    options.head_bytes_max = 1000;
    options.headers_max = 10;
    start(routes());
    const std::string path = "/hello?" + std::string(93, 'a');
    EXPECT_EQ(RawClient(server->port()).ask(get(path)).status, 200);
    EXPECT_EQ(refused(get(path + "a")), 414);
    EXPECT_EQ(refused("GET /" + std::string(5000, 'a')), 414);

    const std::string bare = get("/hello", "X: \r\n");
    const std::string fits = get("/hello", "X: " + std::string(1000 - bare.size(), 'y') + "\r\n");
    EXPECT_EQ(RawClient(server->port()).ask(fits).status, 200);
    const std::string over = get("/hello", "X: " + std::string(1001 - bare.size(), 'y') + "\r\n");
    EXPECT_EQ(refused(over), 431);
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nX: " + std::string(50'000, 'y')), 431);

    std::string nine;
    for (int i = 0; i < 9; ++i) {
        nine += "A: b\r\n";
    }
    EXPECT_EQ(RawClient(server->port()).ask(get("/hello", nine)).status, 200);
    EXPECT_EQ(refused(get("/hello", nine + "A: b\r\n")), 431);
}

TEST_F(HttpServerTest, LimitsTheBodyOfEachRow) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask(post("/json", std::string(100, '1'))).status, 200);
    EXPECT_EQ(raw.ask(post("/json", std::string(101, '1'))).status, 413);
    EXPECT_EQ(raw.ask(get("/hello")).status, 200);  // a small body is dropped, the next goes on
    EXPECT_EQ(refused(post("/json", std::string(200'000, '1'))), 413);
    EXPECT_EQ(refused(post("/json", std::string(5'000'000, '1'))), 413);
    EXPECT_EQ(refused("POST /json HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n"), 413);
    EXPECT_EQ(raw.ask("GET /hello HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx").status, 413);
}

TEST_F(HttpServerTest, TakesOnlyTheMediaTypesOfTheRow) {
    start(routes());
    RawClient raw(server->port());
    const auto ask = [&raw](std::string_view fields) {
        return raw.ask(post("/json", "1", fields)).status;
    };
    EXPECT_EQ(ask("Content-Type: application/json\r\n"), 200);
    EXPECT_EQ(ask("Content-Type: Application/JSON; charset=utf-8\r\n"), 200);
    EXPECT_EQ(ask("Content-Type: application/merge-patch+json\r\n"), 200);
    EXPECT_EQ(ask(""), 200);
    EXPECT_EQ(ask("Content-Type: text/plain\r\n"), 415);
    EXPECT_EQ(ask("Content-Encoding: gzip\r\n"), 415);
    EXPECT_EQ(ask("Content-Encoding: identity\r\n"), 200);
}

TEST_F(HttpServerTest, AsksTheAuthenticatorBeforeItReadsTheBody) {
    start(routes());
    RawClient raw(server->port());
    // The head alone brings the answer: nothing of the 500,000 bytes was waited for.
    raw.send("POST /private HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n");
    const RawResponse refusal = raw.read_response();
    EXPECT_EQ(refusal.status, 403);
    EXPECT_TRUE(refusal.has("connection: close"));
    EXPECT_EQ(authentications, 1);
    RawClient second(server->port());
    const std::string key = "Authorization: Bearer good\r\n";
    EXPECT_EQ(second.ask(post("/private", "{}", key)).body, "{}");
    EXPECT_EQ(second.ask(get("/admin", key)).status, 403);
    EXPECT_EQ(second.ask(get("/v1/private")).status, 401);
    EXPECT_EQ(second.ask(get("/hello")).status, 200);
    EXPECT_EQ(authentications, 4);
}

TEST_F(HttpServerTest, ARefusedCallerGetsTheRefusalsOwnHeadersBeforeTheBodyIsRead) {
    start(routes());
    RawClient raw(server->port());
    raw.send(
        "POST /private HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer busy\r\n"
        "Content-Length: 500000\r\n\r\n"
    );
    const RawResponse refusal = raw.read_response();
    EXPECT_EQ(refusal.status, 429);
    EXPECT_TRUE(refusal.has("retry-after: 7"));
    EXPECT_TRUE(refusal.has("x-ratelimit-limit: 5"));
    EXPECT_TRUE(refusal.has("connection: close"));
}

TEST_F(HttpServerTest, HandsParametersAndPrincipalToTheHandler) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_EQ(
        raw.ask(get("/things/a%2Fb?q=x+y", "Authorization: Bearer good\r\n")).body,
        "a/b x y ada 127.0.0.1"
    );
    EXPECT_EQ(
        raw.ask(get("http://elsewhere:1/things/z", "Authorization: Bearer good\r\n")).body,
        "z - ada 127.0.0.1"
    );
}

TEST_F(HttpServerTest, ContinuesOnlyForABodyThatItWants) {
    start(routes());
    const std::string expect = "Host: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    RawClient raw(server->port());
    raw.send("POST /echo HTTP/1.1\r\n" + expect);
    EXPECT_EQ(raw.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(raw.ask("hello").body, "hello");
    raw.send("POST /private HTTP/1.1\r\n" + expect);
    const RawResponse refusal = raw.read_response();
    EXPECT_EQ(refusal.status, 403);
    EXPECT_TRUE(refusal.has("connection: close"));
    EXPECT_EQ(
        RawClient(server->port()).ask(get("/hello", "Expect: the-unexpected\r\n")).status, 417
    );
}

TEST_F(HttpServerTest, HeadOptionsAndMethodNotAllowed) {
    start(routes());
    RawClient raw(server->port());
    raw.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    const RawResponse head = raw.read_response(true);
    EXPECT_TRUE(head.has("content-length: 5\r\n"));
    EXPECT_EQ(raw.ask(get("/hello")).body, "hello");  // no body came with HEAD
    const RawResponse allowed = raw.ask("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(allowed.status, 405);
    EXPECT_TRUE(allowed.has("allow: GET, HEAD, OPTIONS\r\n"));
    EXPECT_EQ(raw.ask("BREW /hello HTTP/1.1\r\nHost: h\r\n\r\n").status, 405);
    EXPECT_EQ(raw.ask("BREW /nowhere HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
    raw.send("OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n");
    const RawResponse asked = raw.read_response();
    EXPECT_EQ(asked.status, 204);
    EXPECT_TRUE(asked.has("allow: POST, OPTIONS\r\n"));
    raw.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(raw.read_response().status, 204);
}

TEST_F(HttpServerTest, Http10EndsTheConnectionUnlessAskedNotTo) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status, 200);
    EXPECT_EQ(raw.ask("GET /hello HTTP/1.0\r\n\r\n").body, "hello");
    EXPECT_TRUE(raw.is_closed());
}

TEST_F(HttpServerTest, ErrorsAndExceptionsOfHandlersAreReplies) {
    start(routes());
    RawClient raw(server->port());
    const RawResponse lost = raw.ask(get("/jobs/7/fail"));
    EXPECT_EQ(lost.status, 409);
    EXPECT_EQ(nlohmann::json::parse(lost.body)["detail"], "lease lost: job 7");
    EXPECT_EQ(raw.ask(get("/throws")).status, 500);
    EXPECT_EQ(raw.ask(get("/hello")).status, 200);
}

TEST_F(HttpServerTest, AHandlerCannotInjectHeaderLines) {
    start(routes());
    RawClient raw(server->port());
    const RawResponse response = raw.ask(get("/injects?v=ok"));
    EXPECT_EQ(response.body, "x");
    EXPECT_FALSE(response.has("\r\nx-evil"));
    EXPECT_FALSE(response.has("999"));
    EXPECT_EQ(raw.ask(get("/injects?v=%0d%0ax-evil:1")).status, 400);
}

TEST_F(HttpServerTest, AHandlerThatTakesTooLongIsCancelled) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask(get("/stalls")).status, 504);
    EXPECT_EQ(raw.ask(get("/hello")).status, 200);
}

TEST_F(HttpServerTest, ADearHandlerIsCancelledWhenTheClientHangsUp) {
    options.handler_time_max = 1h;
    options.linger_time_max = 40ms;
    start(routes());
    RawClient raw(server->port());
    raw.send(get("/stalls/watched"));
    raw.hang_up();
    EXPECT_EQ(wait_for_record(0).status, 499);
}

TEST_F(HttpServerTest, StreamsARequestBodyWithoutHoldingIt) {
    start(routes());
    RawClient raw(server->port());
    const std::string piece(1'000'000, 'x');
    raw.send("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 20000000\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(raw.send(piece));
    }
    EXPECT_EQ(raw.read_response().body, "20000000");
    raw.send("PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    raw.send("F4240\r\n" + piece + "\r\n0\r\n\r\n");
    EXPECT_EQ(raw.read_response().body, "1000000");
    EXPECT_EQ(raw.ask("PUT /upload HTTP/1.1\r\nHost: h\r\n\r\n").body, "0");
    EXPECT_EQ(
        raw.ask("PUT /ignored HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd").body, "no need"
    );
    EXPECT_EQ(raw.ask(get("/hello")).status, 200);
}

TEST_F(HttpServerTest, AccessRecordsSayWhatHappened) {
    start(routes());
    RawClient raw(server->port());
    raw.ask(post("/private", "{}", "Authorization: Bearer good\r\nX-Request-Id: r7\r\n"));
    const RequestRecord record = wait_for_record(0);
    EXPECT_EQ(record.method, "POST");
    EXPECT_EQ(record.path, "/private");
    EXPECT_EQ(record.operation_id, "private");
    EXPECT_EQ(record.request_id, "r7");
    EXPECT_EQ(record.principal_id, "ada");
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.bytes_in, 2U);
    EXPECT_GT(record.bytes_out, 50U);
    raw.ask(get("/nowhere"));
    EXPECT_EQ(wait_for_record(1).error, "nothing is served at /nowhere");
}

TEST_F(HttpServerTest, StartRefusesAnAddressThatItCannotHave) {
    start(routes());
    HttpServerHooks hooks{.authenticate = {}, .make_request_id = [] { return "r"; }};
    HttpServerOptions taken{.port = server->port()};
    auto second = HttpServer::start(io, clock, taken, hooks, Router({}));
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
    auto named = HttpServer::start(io, clock, {.address = "here"}, hooks, Router({}));
    EXPECT_EQ(named.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace nexa::net
