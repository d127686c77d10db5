// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <cstring>

#include "core/file.h"
#include "fakes/seeded_random.h"
#include "net/server_test_internal.h"
#include "net/sse.h"
#include "net/url.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

/// A port where connections are taken by the kernel and nobody answers.
class SilentPort {
public:
    SilentPort() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        void* raw = &address;
        EXPECT_EQ(::bind(fd_, static_cast<sockaddr*>(raw), size), 0);
        EXPECT_EQ(::listen(fd_, 16), 0);
        EXPECT_EQ(::getsockname(fd_, static_cast<sockaddr*>(raw), &size), 0);
        port_ = ntohs(address.sin_port);
    }
    SilentPort(const SilentPort&) = delete;
    SilentPort& operator=(const SilentPort&) = delete;
    ~SilentPort() { close(); }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    std::string url() const { return fmt::format("http://127.0.0.1:{}/x?key=secret", port_); }
    int accept() const { return ::accept(fd_, nullptr, nullptr); }

private:
    int fd_;
    std::uint16_t port_ = 0;
};

Task<Response> echo(Request request) {
    Response response = Response::text(std::move(request.body), "text/plain");
    response.headers.add("x-method", request.head->method_text);
    response.headers.add("x-type", std::string(request.head->headers.get("content-type")));
    response.headers.add("x-key", std::string(request.head->headers.get("x-nexa-api-key")));
    response.headers.add("x-range", std::string(request.head->headers.get("range")));
    co_return response;
}

Task<Response> large(Request) {
    co_return Response::text(std::string(3'000'000, 'x'), "text/plain");
}

Task<Response> moved(Request request) {
    Response response = Response::empty(302);
    response.headers.add("location", request.parameter("to") == "loop" ? "/moved/loop" : "/echo");
    co_return response;
}

/// To the path in the query's "to", method and body kept.
Task<Response> sent_on(Request request) {
    Response response = Response::empty(307);
    response.headers.add("location", std::string(request.head->query.find("to").value()));
    co_return response;
}

Task<Response> stalls(Request) {
    CO_TRY_STATUS(co_await sleep_for(1h));
    co_return Response::empty();
}

class HttpClientTest : public ServerTest {
protected:
    void SetUp() override {
        const auto open = Auth::kPublic;
        options.linger_time_max = 40ms;  // makes the sweeper come every 10 ms
        start({
            {.path = "/echo", .auth = open, .handler = echo},
            {.method = Method::kPost,
             .path = "/echo",
             .auth = open,
             .body_bytes_max = 10'000'000,
             .content_types = {},
             .handler = echo},
            {.method = Method::kPut,
             .path = "/echo",
             .auth = open,
             .body_bytes_max = 10'000'000,
             .content_types = {},
             .handler = echo},
            {.path = "/large", .auth = open, .handler = large},
            {.path = "/moved/{to}", .auth = open, .handler = moved},
            {.path = "/sent-on", .auth = open, .handler = sent_on},
            {.method = Method::kPut,
             .path = "/sent-on",
             .auth = open,
             .body_bytes_max = 100,
             .content_types = {},
             .handler = sent_on},
            {.path = "/stalls",
             .auth = open,
             .handler =
                 [this](Request request) {
                     ++stalled;
                     return stalls(std::move(request));
                 },
             .cancel_when_client_goes = true},
            {.path = "/private", .handler = echo},
            {.path = "/flaky",
             .auth = open,
             .handler = [this](Request request) { return flaky(std::move(request)); }},
            {.method = Method::kPost,
             .path = "/flaky",
             .auth = open,
             .body_bytes_max = 100,
             .handler = [this](Request request) { return flaky(std::move(request)); }},
            {.path = "/events",
             .auth = open,
             .handler = [this](Request request) { return events(std::move(request)); }},
        });
        client_options.retry.base = 1ms;
        client_options.retry.cap = 2ms;
    }

    Task<Response> flaky(Request) {
        if (++flaky_calls < 3) {
            co_return Response::failure(
                {.error = Error::unavailable("not yet"), .retry_after = retry_after}
            );
        }
        co_return Response::text("at last", "text/plain");
    }

    Task<Response> events(Request) { co_return sse_response(feed); }

    std::string url(std::string_view path) const {
        return fmt::format("http://127.0.0.1:{}{}", server->port(), path);
    }
    HttpClient& http() {
        if (!client_) {
            client_ = std::make_unique<HttpClient>(client_options, clock, random);
        }
        return *client_;
    }
    Result<HttpResponse> send(HttpRequest request) {
        return blocking::wait(io.serial_executor(), http().send(std::move(request)));
    }

    fakes::SeededRandom random{7};
    HttpClientOptions client_options;
    std::unique_ptr<HttpClient> client_;
    std::atomic<int> flaky_calls = 0;
    std::chrono::seconds retry_after{0};
    std::shared_ptr<SseStream> feed = std::make_shared<SseStream>();

    std::atomic<int> stalled{0};
};

TEST_F(HttpClientTest, SendsAndReceives) {
    const auto got = send({.url = url("/echo")});
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(got->headers.get("X-Method"), "GET");
    const auto posted = send({.method = Method::kPost, .url = url("/echo"), .body = "{}"});
    EXPECT_EQ(posted->body, "{}");
    EXPECT_EQ(posted->headers.get("x-type"), "application/json");
    const auto put = send(
        {.method = Method::kPut,
         .url = url("/echo"),
         .headers = {{"content-type", "text/csv"}},
         .body = std::string(5'000'000, 'y')}
    );
    EXPECT_EQ(put->body.size(), 5'000'000U);
    EXPECT_EQ(put->headers.get("x-method"), "PUT");
    EXPECT_EQ(put->headers.get("x-type"), "text/csv");
    const auto head = send({.method = Method::kHead, .url = url("/echo")});
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(send({.method = Method::kPost, .url = url("/echo")})->body, "");
}

TEST_F(HttpClientTest, ReusesItsConnection) {
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(send({.url = url("/echo")}));
    }
    EXPECT_EQ(server->stats().connections_accepted, 1U);
}

TEST_F(HttpClientTest, ABadStatusIsAReplyAndCanBeMadeAnError) {
    const auto refused = send({.url = url("/private")});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 403);
    const Error error = to_error(*refused);
    EXPECT_EQ(error.code, ErrorCode::kUnauthenticated);  // as the problem document says
    EXPECT_EQ(error.message, "no valid key");
    EXPECT_EQ(to_error({.status = 503}).code, ErrorCode::kUnavailable);
    EXPECT_EQ(
        to_error({.status = 401, .body = R"({"error":{"message":"no","code":null}})"}).message, "no"
    );
    EXPECT_EQ(to_error({.status = 404, .body = R"({"error":"none"})"}).message, "none");
    EXPECT_EQ(to_error({.status = 404, .body = "[1"}).code, ErrorCode::kNotFound);
}

TEST_F(HttpClientTest, NamesTheUrlThatItCannotReachWithoutItsSecrets) {
    SilentPort port;
    const std::string dead = port.url();
    port.close();
    const auto refused = send({.url = dead});
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(refused.error().message.find("127.0.0.1"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
    EXPECT_EQ(send({.url = "ftp://127.0.0.1/"}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(send({.url = "http://"}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(send({.url = "file:///etc/passwd"}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HttpClientTest, RefusesAHeaderThatWouldAddLines) {
    const auto refused = send({.url = url("/echo"), .headers = {{"x-a", "b\r\nx-c: d"}}});
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HttpClientTest, TheTotalTimeIsADeadline) {
    SilentPort port;
    const auto late = send({.url = port.url(), .total_time_max = 50ms, .retry = RetryWhen::kNever});
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(late.error().message.find("secret"), std::string::npos);
}

TEST_F(HttpClientTest, SilenceIsADeadlineToo) {
    SilentPort port;
    const auto late = send(
        {.url = port.url(), .total_time_max = 0ms, .idle_time_max = 1s, .retry = RetryWhen::kNever}
    );
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(HttpClientTest, AReplyThatIsTooLargeIsRefused) {
    EXPECT_EQ(
        send({.url = url("/large"), .body_bytes_max = 2'999'999}).error().code,
        ErrorCode::kResourceExhausted
    );
    EXPECT_EQ(send({.url = url("/large"), .body_bytes_max = 3'000'000})->body.size(), 3'000'000U);
}

TEST_F(HttpClientTest, FollowsRedirectsButNotForEver) {
    EXPECT_EQ(send({.url = url("/moved/echo")})->url, url("/echo"));
    const auto looped = send({.url = url("/moved/loop"), .retry = RetryWhen::kNever});
    EXPECT_EQ(looped.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, TakesItsKeyAlongToNoOtherOrigin) {
    // Another name of the same server is another origin.
    std::string elsewhere = url("/echo?link=1");
    elsewhere.replace(elsewhere.find("127.0.0.1"), std::strlen("127.0.0.1"), "localhost");
    for (const bool stays : {true, false}) {
        const std::string to = stays ? "/echo?link=1" : elsewhere;
        const HttpRequest get{
            .url = url("/sent-on?to=" + percent_encode(to)),
            .headers = {{"X-Nexa-Api-Key", "nexa_secret"}, {"Range", "bytes=1-2"}},
        };
        const auto got = send(get);
        ASSERT_TRUE(got) << got.error().to_string();
        EXPECT_EQ(got->url, stays ? url(to) : elsewhere);
        EXPECT_EQ(got->headers.get("x-key"), stays ? "nexa_secret" : "");
        EXPECT_EQ(got->headers.get("x-range"), "bytes=1-2");
        HttpRequest put = get;
        put.method = Method::kPut;
        put.body = "kept";
        const auto sent = send(put);
        ASSERT_TRUE(sent) << sent.error().to_string();
        EXPECT_EQ(sent->headers.get("x-method"), "PUT");
        EXPECT_EQ(sent->headers.get("x-key"), stays ? "nexa_secret" : "");
        EXPECT_EQ(sent->body, "kept");
        const auto streamed = blocking::wait(io.serial_executor(), http().open(get));
        ASSERT_TRUE(streamed) << streamed.error().to_string();
        EXPECT_EQ(streamed->head.headers.get("x-key"), stays ? "nexa_secret" : "");
        SystemSleeper sleeper{CancelToken()};
        blocking::HttpClient plain(client_options, {clock, random, sleeper});
        const auto blocked = plain.send(get);
        ASSERT_TRUE(blocked) << blocked.error().to_string();
        EXPECT_EQ(blocked->headers.get("x-key"), stays ? "nexa_secret" : "");
    }
    for (const char* bad : {"file:///etc/passwd", "gopher://127.0.0.1/", "http://", "//"}) {
        const auto refused =
            send({.url = url("/sent-on?to=" + percent_encode(bad)), .retry = RetryWhen::kNever});
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << bad;
    }
}

TEST_F(HttpClientTest, DoesNotFollowRedirectsWhereToldSo) {
    client_options.redirects_max = 0;
    EXPECT_EQ(send({.url = url("/moved/echo")})->status, 302);
}

TEST_F(HttpClientTest, RetriesWhatMayBeRepeated) {
    EXPECT_EQ(send({.url = url("/flaky")})->body, "at last");
    EXPECT_EQ(flaky_calls, 3);
    flaky_calls = 0;
    EXPECT_EQ(send({.method = Method::kPost, .url = url("/flaky"), .body = "1"})->status, 503);
    EXPECT_EQ(flaky_calls, 1);
    flaky_calls = 1;
    const auto keyed = send(
        {.method = Method::kPost,
         .url = url("/flaky"),
         .headers = {{"Idempotency-Key", "k1"}},
         .body = "1"}
    );
    EXPECT_EQ(keyed->body, "at last");
}

TEST_F(HttpClientTest, KeepsToRetryAfter) {
    flaky_calls = 1;
    retry_after = 1s;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(send({.url = url("/flaky")})->body, "at last");
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
}

TEST_F(HttpClientTest, TheEnvironmentsProxyIsNotUsed) {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    EXPECT_TRUE(send({.url = url("/echo")}));
    ::unsetenv("http_proxy");
    client_.reset();
    client_options.proxy = fmt::format("http://127.0.0.1:{}", server->port());
    // Our server as the proxy: it is asked for a URL whose host does not exist.
    EXPECT_EQ(send({.url = "http://nowhere.invalid/echo"})->status, 200);
}

TEST_F(HttpClientTest, UploadsAFile) {
    auto folder = TemporaryDirectory::create(std::filesystem::temp_directory_path());
    ASSERT_TRUE(folder);
    const std::string content(4'000'000, 'z');
    ASSERT_TRUE(write_file_atomically(folder->path() / "data", content));
    for (const Method method : {Method::kPut, Method::kPost}) {
        const auto sent =
            send({.method = method, .url = url("/echo"), .upload_file = folder->path() / "data"});
        ASSERT_TRUE(sent) << sent.error().message;
        EXPECT_EQ(sent->body, content);
        EXPECT_EQ(sent->headers.get("x-method"), to_string(method));
    }
    const auto missing =
        send({.method = Method::kPut, .url = url("/echo"), .upload_file = folder->path() / "none"});
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(HttpClientTest, ACancelledRequestEndsItsTransfer) {
    TaskGroup group(io, nullptr);
    auto wait = [](HttpClient* client, std::string target) -> Task<void> {
        CO_TRY_STATUS(co_await client->send({.url = std::move(target)}));
        co_return ok();
    };
    ASSERT_TRUE(group.spawn("request", wait(&http(), url("/stalls"))));
    // Not just connected: a request that was not sent yet leaves a connection that can be used
    // again.
    EXPECT_TRUE(wait_until([this] { return stalled == 1; }));
    blocking::stop(io, group);
    EXPECT_TRUE(wait_until([this] { return server->stats().connections_open == 0; }));
    const auto late = blocking::wait(
        io.serial_executor(), with_deadline(http().send({.url = url("/stalls")}), 20ms)
    );
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(HttpClientTest, StopCancelsWhatRunsAndRefusesWhatComes) {
    SilentPort port;
    HttpClient& stopped = http();
    std::thread stopper([&port, &stopped] {
        const int accepted = port.accept();
        stopped.stop();
        ::close(accepted);
    });
    const auto cancelled = send({.url = port.url(), .retry = RetryWhen::kNever});
    EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
    stopper.join();
    EXPECT_EQ(send({.url = url("/echo")}).error().code, ErrorCode::kCancelled);
}

TEST_F(HttpClientTest, RefusesMoreTransfersThanItMayHold) {
    client_options.transfers_max = 1;
    SilentPort port;
    TaskGroup group(io, nullptr);
    auto wait = [](HttpClient* client, std::string target) -> Task<void> {
        CO_TRY_STATUS(co_await client->send({.url = std::move(target)}));
        co_return ok();
    };
    ASSERT_TRUE(group.spawn("request", wait(&http(), port.url())));
    const int accepted = port.accept();
    EXPECT_EQ(send({.url = url("/echo")}).error().code, ErrorCode::kResourceExhausted);
    blocking::stop(io, group);
    ::close(accepted);
    EXPECT_TRUE(wait_until([this] { return send({.url = url("/echo")}).has_value(); }));
}

TEST_F(HttpClientTest, StreamsALargeReplyAtTheReadersPace) {
    auto drain = [](HttpClient* client, std::string target) -> Task<std::size_t> {
        CO_TRY(const HttpStream stream, co_await client->open({.url = std::move(target)}));
        std::size_t bytes = 0;
        for (;;) {
            CO_TRY(const std::string piece, co_await stream.body->read());
            if (piece.empty()) {
                co_return bytes;
            }
            bytes += piece.size();
        }
    };
    EXPECT_EQ(
        blocking::wait(io.serial_executor(), drain(&http(), url("/large"))).value(), 3'000'000U
    );
}

TEST_F(HttpClientTest, ReadsEventsAndLettingGoEndsTheTransfer) {
    ASSERT_TRUE(feed->try_send({.id = "1", .data = "one"}));
    ASSERT_TRUE(feed->try_send({.id = "2", .data = "two\nlines"}));
    auto read_two = [](HttpClient* client, std::string target) -> Task<std::vector<SseEvent>> {
        CO_TRY(const HttpStream stream, co_await client->open({.url = std::move(target)}));
        SseEvents events(stream.body);
        std::vector<SseEvent> read;
        while (read.size() < 2) {
            CO_TRY(std::optional<SseEvent> event, co_await events.next());
            if (!event) {
                break;
            }
            read.push_back(std::move(*event));
        }
        co_return read;
    };
    const auto read = blocking::wait(io.serial_executor(), read_two(&http(), url("/events")));
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ((*read)[1].data, "two\nlines");
    EXPECT_TRUE(wait_until([this] { return feed->closed(); }));
}

TEST_F(HttpClientTest, OpenFailsWhereThereIsNoHead) {
    SilentPort port;
    const std::string dead = port.url();
    port.close();
    const auto failed = blocking::wait(io.serial_executor(), http().open({.url = dead}));
    EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, TheBlockingClientDoesTheSame) {
    const CancelToken never;
    SystemSleeper sleeper(never);
    blocking::HttpClient plain(client_options, {clock, random, sleeper});
    EXPECT_EQ(plain.send({.url = url("/flaky")})->body, "at last");
    EXPECT_EQ(plain.send({.url = url("/echo")})->status, 200);
    std::size_t bytes = 0;
    const auto sunk = plain.send({.url = url("/large")}, [&bytes](std::string_view piece) {
        bytes += piece.size();
        return ok();
    });
    EXPECT_TRUE(sunk->body.empty());
    EXPECT_EQ(bytes, 3'000'000U);
    const auto stopped = plain.send({.url = url("/large")}, [](std::string_view) -> Status {
        return Error::unavailable("disk full");
    });
    EXPECT_EQ(stopped.error().message, "disk full");
    EXPECT_EQ(
        plain.send({.url = url("/private")}, [](std::string_view) { return ok(); })->status, 403
    );
}

}  // namespace
}  // namespace nexa::net
