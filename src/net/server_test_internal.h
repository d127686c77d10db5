// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "net/refused_caller.h"
#include "net/task_group.h"

namespace nexa::net {

/// What came back on a raw socket, split as far as a test needs.
struct RawResponse {
    int status = 0;
    std::string head;
    std::string body;

    bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

/// A client that sends exactly the bytes it is told. Every read gives up after ten seconds.
class RawClient {
public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const void* raw = &address;
        connected_ = ::connect(fd_, static_cast<const sockaddr*>(raw), sizeof(address)) == 0;
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
    ~RawClient() { hang_up(); }

    bool connected() const { return connected_; }
    void hang_up() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    void end_sending() { ::shutdown(fd_, SHUT_WR); }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    /// Reads once; false at the end, on an error or after ten seconds.
    bool fill() {
        char buffer[16384];
        const ssize_t count = ::recv(fd_, buffer, sizeof(buffer), 0);
        if (count <= 0) {
            return false;
        }
        received_.append(buffer, static_cast<std::size_t>(count));
        return true;
    }
    std::string read_until(std::string_view mark) {
        std::size_t at = received_.find(mark);
        while (at == std::string::npos) {
            if (!fill()) {
                return {};
            }
            at = received_.find(mark);
        }
        std::string text = received_.substr(0, at + mark.size());
        received_.erase(0, at + mark.size());
        return text;
    }
    std::string read_exactly(std::size_t bytes) {
        while (received_.size() < bytes && fill()) {
        }
        std::string text = received_.substr(0, bytes);
        received_.erase(0, text.size());
        return text;
    }
    /// Everything up to the end of the connection.
    std::string read_all() {
        while (fill()) {
        }
        return std::exchange(received_, {});
    }
    /// True if the server has ended the connection, with nothing left to read.
    bool is_closed() { return received_.empty() && !fill(); }

    RawResponse read_response(bool bare = false) {
        RawResponse response;
        response.head = read_until("\r\n\r\n");
        if (response.head.size() < 12) {
            return response;
        }
        response.status = std::stoi(response.head.substr(9, 3));
        const std::size_t length = response.head.find("content-length: ");
        if (bare) {
            return response;
        }
        if (length != std::string::npos) {
            response.body = read_exactly(std::stoul(response.head.substr(length + 16)));
        } else if (response.has("transfer-encoding: chunked")) {
            response.body = read_chunks();
        }
        return response;
    }
    RawResponse ask(std::string_view request) {
        send(request);
        return read_response();
    }
    std::string read_chunks() {
        std::string body;
        for (;;) {
            const std::string line = read_until("\r\n");
            const std::size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
            body += read_exactly(size);
            read_until("\r\n");
            if (size == 0) {
                return body;
            }
        }
    }

private:
    int fd_;
    bool connected_ = false;
    std::string received_;
};

/// Waits on a real event, with a limit that only a broken test reaches.
class Event {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        wake_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return wake_.wait_for(lock, std::chrono::seconds(10), [this] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    bool set_ = false;
};

inline std::string get(std::string_view path, std::string_view fields = "") {
    return fmt::format("GET {} HTTP/1.1\r\nHost: here\r\n{}\r\n", path, fields);
}

inline std::string post(
    std::string_view path, std::string_view body, std::string_view fields = ""
) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n{}\r\n{}",
        path,
        body.size(),
        fields,
        body
    );
}

/// A server with the routes that tests need, started on demand.
class ServerTest : public testing::Test {
protected:
    ~ServerTest() override {
        if (server) {
            blocking::stop(io, *server, std::chrono::milliseconds(0));
        }
    }

    void start(std::vector<Route> routes) {
        HttpServerHooks hooks{
            .authenticate = [this](AuthRequest request) { return authenticate(request); },
            .make_request_id = [this] { return fmt::format("req_{}", ++request_ids); },
            .on_request_done =
                [this](const RequestRecord& record) {
                    const std::lock_guard lock(mutex);
                    records.push_back(record);
                    wake.notify_all();
                },
        };
        auto started =
            HttpServer::start(io, clock, options, std::move(hooks), Router(std::move(routes)));
        ASSERT_TRUE(started) << started.error().message;
        server = std::move(*started);
    }

    Task<Principal> authenticate(AuthRequest request) {
        ++authentications;
        const std::string_view key = request.head->headers.get("authorization");
        if (key == "Bearer busy") {
            co_return refused_caller({
                .error = Error::resource_exhausted("too many requests"),
                .retry_after = std::chrono::seconds(7),
                .headers = {{"x-ratelimit-limit", "5"}},
            });
        }
        if (key != "Bearer good") {
            co_return Error::unauthenticated("no valid key");
        }
        if (request.route->scope == "admin") {
            co_return Error::permission_denied("the key lacks scope {}", request.route->scope);
        }
        co_return Principal{.id = "ada", .tenant_id = "t1", .details = {}};
    }

    RawClient client() { return RawClient(server->port()); }

    RequestRecord wait_for_record(std::size_t number) {
        std::unique_lock lock(mutex);
        const bool came =
            wake.wait_for(lock, std::chrono::seconds(30), [&] { return records.size() > number; });
        return came ? records[number] : RequestRecord{};
    }

    bool wait_until(const std::function<bool()>& condition) {
        for (int i = 0; i < 15'000; ++i) {
            if (condition()) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return false;
    }

    SystemClock clock;
    IoPool io{{.threads = 2, .on_error = nullptr}};
    WorkPool pool{{.name = "db", .threads = 2, .queue_max = 64}};
    HttpServerOptions options;
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<RequestRecord> records;
    std::atomic<int> request_ids = 0;
    std::atomic<int> authentications = 0;
    std::unique_ptr<HttpServer> server;
};

}  // namespace nexa::net
