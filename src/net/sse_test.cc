// SPDX-License-Identifier: Apache-2.0
#include "net/sse.h"

#include "net/server_test_internal.h"

namespace nexa::net {
namespace {

using namespace std::chrono_literals;

class SseTest : public ServerTest {
protected:
    Task<Response> subscribe(Request request) {
        last_event_id = request.head->headers.get("last-event-id");
        stream = std::make_shared<SseStream>(sse_options);
        subscribed.set();
        co_return sse_response(stream);
    }

    void start_feed() {
        start({{
            .path = "/events",
            .auth = Auth::kPublic,
            .handler = [this](Request request) { return subscribe(std::move(request)); },
        }});
    }

    SseOptions sse_options;
    std::shared_ptr<SseStream> stream;
    std::string last_event_id;
    Event subscribed;
};

TEST(SseText, WritesEveryLineOfTheData) {
    EXPECT_EQ(
        to_text({.id = "7", .event = "progress", .data = "a\nb\r\nc\rd", .retry = 3s}),
        "id: 7\nevent: progress\nretry: 3000\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    );
    EXPECT_EQ(to_text({.data = ""}), "data: \n\n");
    EXPECT_EQ(to_text({.id = "1\ndata: x", .data = "y\n"}), "id: 1 data: x\ndata: y\ndata: \n\n");
}

TEST(SseReader, ReadsWhatIsWrittenHoweverItIsCut) {
    const std::vector<SseEvent> sent{
        {.id = "1", .event = "a", .data = "x\ny"},
        {.id = "2", .event = "", .data = "z", .retry = 5ms},
        {.id = "2", .event = "", .data = ""},
    };
    std::string text = "\xEF\xBB\xBF: hello\n\n";
    for (const SseEvent& event : sent) {
        text += to_text(event);
    }
    for (std::size_t step = 1; step < text.size(); step += 3) {
        SseReader reader;
        std::vector<SseEvent> got;
        std::string_view rest = text;
        // The mark at the start of the text comes in one piece, as every real sender has it.
        std::size_t size = std::max<std::size_t>(step, 3);
        while (!rest.empty()) {
            const auto events = reader.feed(rest.substr(0, size)).value();
            got.insert(got.end(), events.begin(), events.end());
            rest.remove_prefix(std::min(size, rest.size()));
            size = step;
        }
        EXPECT_EQ(got, sent) << step;
        EXPECT_EQ(reader.last_id(), "2");
    }
}

TEST(SseReader, TakesAllLineEndsAndIgnoresWhatItDoesNotKnow) {
    SseReader reader;
    const auto events =
        reader.feed("data:a\rdata\r\nfoo: 1\nretry: x\nid: q\r\r\n:c\ndata: b\n\nevent: e\n\n")
            .value();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].data, "a\n");
    EXPECT_EQ(events[0].id, "q");
    EXPECT_EQ(events[1].data, "b");
}

TEST(SseReader, RefusesAnEventWithoutEnd) {
    SseReader reader(100);
    EXPECT_TRUE(reader.feed("data: " + std::string(90, 'x')));
    EXPECT_EQ(reader.feed("xxxxx").error().code, ErrorCode::kResourceExhausted);
    SseReader lines(100);
    EXPECT_FALSE(lines.feed(std::string(10, 'd') + "\n" + [] {
        std::string many;
        for (int i = 0; i < 60; ++i) {
            many += "data: x\n";
        }
        return many;
    }()));
}

TEST_F(SseTest, EventsReachTheClientAsTheyAreSent) {
    sse_options.retry = 2s;
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events", "Last-Event-ID: 41\r\n"));
    ASSERT_TRUE(subscribed.wait());
    EXPECT_EQ(last_event_id, "41");
    const std::string head = raw.read_until("\r\n\r\n");
    EXPECT_NE(head.find("content-type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(head.find("transfer-encoding: chunked"), std::string::npos);
    raw.read_until("retry: 2000\n\n");
    ASSERT_TRUE(stream->try_send({.id = "42", .data = "one"}));
    EXPECT_FALSE(raw.read_until("id: 42\ndata: one\n\n").empty());
    ASSERT_TRUE(blocking::wait(io.executor(), stream->send({.data = "two"})));
    EXPECT_FALSE(raw.read_until("data: two\n\n").empty());
    stream->finish();
    EXPECT_FALSE(raw.read_until("0\r\n\r\n").empty());
    EXPECT_EQ(stream->try_send({.data = "late"}).error().code, ErrorCode::kCancelled);
    raw.send(get("/events", "Connection: close\r\n"));  // the connection lives on
    EXPECT_FALSE(raw.read_until("200 OK").empty());
    stream->finish();
}

TEST_F(SseTest, SilenceIsFilledWithHeartbeats) {
    sse_options.heartbeat = 10ms;
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(raw.read_until(": still here\n\n").empty());
    }
}

TEST_F(SseTest, TheProducerLearnsThatTheClientHasGone) {
    options.linger_time_max = 40ms;  // makes the sweeper come every 10 ms
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    ASSERT_TRUE(subscribed.wait());
    raw.read_until("\r\n\r\n");
    raw.hang_up();
    EXPECT_TRUE(wait_until([this] { return stream->closed(); }));
    EXPECT_EQ(stream->try_send({.data = "x"}).error().code, ErrorCode::kCancelled);
    EXPECT_EQ(wait_for_record(0).status, 499);
}

TEST_F(SseTest, ASlowClientFillsTheBufferAndNoMore) {
    sse_options.bytes_max = 100'000;
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    ASSERT_TRUE(subscribed.wait());
    const SseEvent event{.data = std::string(50'000, 'x')};
    Status status;
    int sent = 0;
    while (status && sent < 10'000) {
        status = stream->try_send(event);
        sent += status ? 1 : 0;
        std::this_thread::yield();
    }
    EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted);
    // send() waits instead; what it waits for is the client.
    std::thread waiter([&] {
        EXPECT_TRUE(blocking::wait(io.executor(), stream->send({.data = "last"})));
        stream->finish();
    });
    const std::string all = raw.read_until("data: last\n\n");
    EXPECT_GT(all.size(), static_cast<std::size_t>(sent) * 50'000);
    waiter.join();
}

TEST_F(SseTest, DrainEndsFeedsAtOnce) {
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    ASSERT_TRUE(subscribed.wait());
    raw.read_until("\r\n\r\n");
    std::thread stopper([this] { blocking::stop(io, *server, 1h); });
    EXPECT_FALSE(raw.read_until("0\r\n\r\n").empty());
    EXPECT_TRUE(raw.is_closed());
    raw.hang_up();
    stopper.join();
}

TEST_F(SseTest, DrainLetsAnAnswerFinishThatAsksForIt) {
    sse_options.ends_on_drain = false;
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    ASSERT_TRUE(subscribed.wait());
    raw.read_until("\r\n\r\n");
    std::thread stopper([this] { blocking::stop(io, *server, 1h); });
    EXPECT_TRUE(wait_until([this] { return !RawClient(server->port()).connected(); }));
    ASSERT_TRUE(stream->try_send({.data = "the end"}));
    stream->finish();
    EXPECT_FALSE(raw.read_until("data: the end\n\n").empty());
    raw.hang_up();
    stopper.join();
}

TEST_F(SseTest, AFailedStreamBreaksOffInsteadOfEndingWell) {
    start_feed();
    RawClient raw(server->port());
    raw.send(get("/events"));
    ASSERT_TRUE(subscribed.wait());
    raw.read_until("\r\n\r\n");
    stream->fail(Error::data_loss("the model crashed"));
    EXPECT_EQ(raw.read_all().find("0\r\n\r\n"), std::string::npos);
    EXPECT_NE(wait_for_record(0).error.find("the model crashed"), std::string::npos);
}

}  // namespace
}  // namespace nexa::net
