// SPDX-License-Identifier: Apache-2.0
#include "net/web_socket.h"

#include <list>

#include <gtest/gtest.h>

#include "net/server_test_internal.h"
#include "net/sse.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

// The key and its answer stand in RFC 6455, section 1.3.
constexpr std::string_view kHandshake =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

enum Opcode : std::uint8_t {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kReserved = 3,
    kClose = 8,
    kPing = 9,
    kPong = 10
};
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;

/// A client's frame, masked as it has to be.
std::string frame(std::uint8_t first, std::string_view payload, bool masked = true) {
    std::string bytes(1, static_cast<char>(first));
    const auto mask_bit = static_cast<std::uint8_t>(masked ? kMasked : 0);
    if (payload.size() < 126) {
        bytes += static_cast<char>(mask_bit | payload.size());
    } else {
        bytes += static_cast<char>(mask_bit | 126U);
        bytes += static_cast<char>(payload.size() >> 8U);
        bytes += static_cast<char>(payload.size() & 0xFFU);
    }
    const std::string mask = masked ? "mask" : "";
    bytes += mask;
    for (std::size_t i = 0; i < payload.size(); ++i) {
        bytes += masked ? static_cast<char>(payload[i] ^ mask[i % 4]) : payload[i];
    }
    return bytes;
}

struct Frame {
    int opcode = -1;
    std::string payload;

    int code() const {
        return payload.size() < 2 ? 0
                                  : (static_cast<unsigned char>(payload[0]) << 8) +
                                        static_cast<unsigned char>(payload[1]);
    }
    std::string reason() const { return payload.size() < 2 ? "" : payload.substr(2); }
};

class WebSocketTest : public ServerTest {
protected:
    Task<Response> answer(Request request) {
        opened = std::make_shared<SseStream>();
        co_return web_socket_response(*request.head, opened, socket_options);
    }
    void start_socket() {
        start({{
            .path = "/ws",
            .auth = Auth::kPublic,
            .handler = [this](Request request) { return answer(std::move(request)); },
        }});
    }
    RawClient& connect(std::string_view more = "") {
        RawClient& raw = connected.emplace_back(server->port());
        raw.send(get("/ws", fmt::format("{}{}", kHandshake, more)));
        head = raw.read_until("\r\n\r\n");
        EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
        return raw;
    }
    static Frame read(RawClient& raw) {
        const std::string start = raw.read_exactly(2);
        if (start.size() < 2) {
            return {};
        }
        EXPECT_EQ(static_cast<unsigned char>(start[1]) & kMasked, 0);  // a server's are not masked
        std::size_t size = static_cast<unsigned char>(start[1]) & 0x7FU;
        if (size == 126) {
            const std::string more = raw.read_exactly(2);
            size = (static_cast<std::size_t>(static_cast<unsigned char>(more.at(0))) << 8U) +
                   static_cast<unsigned char>(more.at(1));
        }
        return {
            .opcode = static_cast<unsigned char>(start[0]) & 0x0F,
            .payload = raw.read_exactly(size),
        };
    }
    /// The code with which the server ends after `bytes`.
    int ends_with(std::string_view bytes) {
        RawClient& raw = connect();
        raw.send(bytes);
        const Frame last = read(raw);
        EXPECT_EQ(last.opcode, kClose);
        return last.code();
    }

    WebSocketOptions socket_options;
    std::shared_ptr<SseStream> opened;
    std::string head;
    std::list<RawClient> connected;
};

TEST_F(WebSocketTest, EventsComeAsMessagesAndTheirEndAsACloseInGoodOrder) {
    start_socket();
    RawClient& raw = connect("X-Request-Id: mine\r\n");
    EXPECT_NE(head.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << head;
    EXPECT_NE(head.find("x-request-id: mine"), std::string::npos) << head;
    ASSERT_TRUE(opened->try_send({.id = "1:7", .event = "line", .data = "a \"b\"\nc"}));
    ASSERT_TRUE(opened->try_send({.data = "x"}));
    opened->finish();
    EXPECT_EQ(read(raw).payload, R"({"id":"1:7","event":"line","data":"a \"b\"\nc"})");
    EXPECT_EQ(
        read(raw).payload, R"({"id":"1:7","event":"message","data":"x"})"
    );  // no id of its own
    const Frame last = read(raw);
    EXPECT_EQ(last.opcode, kClose);
    EXPECT_EQ(last.code(), 1000);
    raw.send(frame(kFinal | kClose, last.payload));
    EXPECT_TRUE(raw.is_closed());
    raw.hang_up();
    const RequestRecord record = wait_for_record(0);
    EXPECT_EQ(record.status, 101);
    EXPECT_EQ(record.error, "");
}

TEST_F(WebSocketTest, DataThatIsJsonGoesOutAsItIs) {
    socket_options.data_is_json = true;
    start_socket();
    RawClient& raw = connect();
    ASSERT_TRUE(opened->try_send({.id = "1", .event = "status", .data = R"({"a":[1]})"}));
    EXPECT_EQ(read(raw).payload, R"({"id":"1","event":"status","data":{"a":[1]}})");
}

TEST_F(WebSocketTest, PingsAreAnsweredAlsoWithinAFragmentedMessage) {
    start_socket();
    RawClient& raw = connect();
    raw.send(frame(kText, "one ") + frame(kFinal | kPing, "now") + frame(kContinuation, "two "));
    const Frame pong = read(raw);
    EXPECT_EQ(pong.opcode, kPong);
    EXPECT_EQ(pong.payload, "now");
    raw.send(frame(kFinal | kContinuation, "three") + frame(kFinal | kClose, "\x03\xE8"));
    const Frame last = read(raw);
    EXPECT_EQ(last.opcode, kClose);
    EXPECT_EQ(last.code(), 1000);
    raw.hang_up();
    EXPECT_TRUE(wait_until([&] { return opened->closed(); }));
}

TEST_F(WebSocketTest, FramesThatBreakTheProtocolEndItWithTheirCode) {
    start_socket();
    EXPECT_EQ(ends_with(frame(kFinal | kText, "hello", false)), 1002) << "not masked";
    EXPECT_EQ(ends_with(frame(0xC0 | kText, "hello")), 1002) << "a reserved bit";
    EXPECT_EQ(ends_with(frame(kFinal | kReserved, "hello")), 1002) << "a reserved opcode";
    EXPECT_EQ(ends_with(frame(kFinal | kContinuation, "hello")), 1002) << "continues nothing";
    EXPECT_EQ(ends_with(frame(kText, "a") + frame(kFinal | kText, "b")), 1002) << "never ended";
    EXPECT_EQ(ends_with(frame(kPing, "a")), 1002) << "a control frame in pieces";
    EXPECT_EQ(ends_with(frame(kFinal | kPing, std::string(126, 'a'))), 1002) << "a long ping";
    EXPECT_EQ(ends_with(frame(kFinal | kText, "\xC3\x28")), 1007) << "no UTF-8";
    EXPECT_EQ(ends_with(frame(kFinal | kText, std::string(4097, 'a'))), 1009) << "too long";
    std::string in_pieces = frame(kText, std::string(4000, 'a'));
    in_pieces += frame(kContinuation, std::string(4000, 'a'));
    EXPECT_EQ(ends_with(in_pieces), 1009) << "too long in pieces";
    EXPECT_EQ(ends_with(frame(kFinal | kClose, "\x03")), 1002) << "half a code";
}

TEST_F(WebSocketTest, WhatIsNoHandshakeIsRefusedAndItsStreamClosed) {
    start_socket();
    const auto status = [&](std::string_view fields) {
        RawClient raw = client();
        const RawResponse response = raw.ask(get("/ws", fields));
        EXPECT_TRUE(opened->closed());
        return response.status;
    };
    EXPECT_EQ(status(""), 426);
    EXPECT_EQ(status("Connection: Upgrade\r\nUpgrade: h2c\r\n"), 426);
    constexpr std::string_view kUpgrade = "Connection: Upgrade\r\nUpgrade: WebSocket\r\n";
    EXPECT_EQ(status(fmt::format("{}Sec-WebSocket-Version: 12\r\n", kUpgrade)), 426);
    for (const std::string_view key : {"", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZ!=="}) {
        EXPECT_EQ(
            status(fmt::format(
                "{}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n", kUpgrade, key
            )),
            400
        );
    }
}

TEST_F(WebSocketTest, OfTheOfferedSubprotocolsTheKnownOneIsAgreedTo) {
    socket_options.protocol = "nexa.events";
    start_socket();
    connect("Sec-WebSocket-Protocol: other, nexa.events\r\nSec-WebSocket-Protocol: secret\r\n");
    EXPECT_NE(head.find("Sec-WebSocket-Protocol: nexa.events\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("secret"), std::string::npos);
    connect("Sec-WebSocket-Protocol: other\r\n");
    EXPECT_EQ(head.find("Sec-WebSocket-Protocol"), std::string::npos) << head;
}

TEST_F(WebSocketTest, AnErrorOfTheStreamIsTheReasonOfTheClose) {
    start_socket();
    RawClient& refused = connect();
    opened->fail(Error::permission_denied("the key was revoked"));
    const Frame policy = read(refused);
    EXPECT_EQ(policy.code(), 1008);
    EXPECT_EQ(policy.reason(), "the key was revoked");
    RawClient& broken = connect();
    std::string reason = "x";
    for (int i = 0; i < 100; ++i) {
        reason += "ü";
    }
    opened->fail(Error::unavailable("{}", reason));
    const Frame internal = read(broken);
    EXPECT_EQ(internal.code(), 1011);
    EXPECT_EQ(internal.reason(), reason.substr(0, 123));  // in whole characters
}

TEST_F(WebSocketTest, AClientThatGivesNoSignOfLifeIsDropped) {
    socket_options.silence_max = 200ms;
    start_socket();
    RawClient& raw = connect();
    EXPECT_EQ(read(raw).opcode, kPing);
    // No pong: the server ends the connection without waiting for anything.
    raw.read_all();
    EXPECT_TRUE(wait_until([&] { return opened->closed(); }));
    EXPECT_NE(wait_for_record(0).error.find("answered no ping"), std::string::npos);
}

TEST_F(WebSocketTest, AClientThatTakesNothingIsDroppedAndHoldsNoMoreThanTheStreamDoes) {
    socket_options.silence_max = 300ms;
    start_socket();
    connect();
    const std::string line(10'000, 'x');
    std::size_t refused = 0;
    EXPECT_TRUE(wait_until([&] {
        refused += opened->try_send({.data = line}) ? 0 : 1;
        return opened->closed();
    }));
    EXPECT_GT(refused, 0U);
    EXPECT_NE(wait_for_record(0).error.find("too slow"), std::string::npos);
}

TEST_F(WebSocketTest, AClientThatHangsUpEndsTheStream) {
    start_socket();
    RawClient& raw = connect();
    raw.hang_up();
    EXPECT_TRUE(wait_until([&] { return opened->closed(); }));
}

TEST_F(WebSocketTest, AServerThatStopsSaysThatItGoesAway) {
    start_socket();
    RawClient& raw = connect();
    std::thread stopping([&] { blocking::stop(io, *server, 5s); });
    const Frame last = read(raw);
    EXPECT_EQ(last.opcode, kClose);
    EXPECT_EQ(last.code(), 1001);
    raw.send(frame(kFinal | kClose, last.payload));
    EXPECT_TRUE(raw.is_closed());
    raw.hang_up();
    stopping.join();
}

TEST_F(WebSocketTest, AServerThatMustNotWaitStopsAtOnceWithAnOpenSocket) {
    start_socket();
    connect();
    blocking::stop(io, *server, 0ms);
    EXPECT_TRUE(opened->closed());
}

TEST_F(WebSocketTest, ManyServeBesideEachOther) {
    start_socket();
    std::vector<std::unique_ptr<RawClient>> clients;
    std::vector<std::shared_ptr<SseStream>> streams;
    for (int i = 0; i < 50; ++i) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        clients.back()->send(get("/ws", kHandshake));
        clients.back()->read_until("\r\n\r\n");
        streams.push_back(opened);
    }
    for (std::size_t i = 0; i < streams.size(); ++i) {
        ASSERT_TRUE(streams[i]->try_send({.event = "n", .data = std::to_string(i)}));
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
        EXPECT_EQ(
            read(*clients[i]).payload, fmt::format(R"({{"id":"","event":"n","data":"{}"}})", i)
        );
    }
}

}  // namespace
}  // namespace nexa::net
