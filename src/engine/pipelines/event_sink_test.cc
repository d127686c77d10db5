// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/event_sink.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "engine/pipelines/run_log.h"
#include "fakes/manual_clock.h"

namespace nexa::pipelines {
namespace {

/// All that was written into `pipe`, whose writing end it closes.
std::string written_into(Pipe& pipe) {
    pipe.write_end.reset();
    std::string text(1 << 16, '\0');
    text.resize(static_cast<std::size_t>(
        std::max<::ssize_t>(::read(pipe.read_end.get(), text.data(), text.size()), 0)
    ));
    return text;
}

class EventSinkTest : public ::testing::Test {
protected:
    std::vector<protocol::EngineEvent> events() {
        const std::string text = written_into(pipe);
        std::vector<protocol::EngineEvent> read;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = text.find('\n', begin);
            read.push_back(from_json<protocol::EngineEvent>(text.substr(begin, end - begin)).value()
            );
            begin = end + 1;
        }
        return read;
    }

    Pipe pipe = make_pipe().value();
    fakes::ManualClock clock;
    EventSink sink{pipe.write_end.get(), clock};
};

TEST_F(EventSinkTest, ThinsProgressOutButKeepsTheFirstAndTheLast) {
    for (int done = 1; done <= 100; ++done) {
        sink.progress({.phase = "read", .done = done, .total = 100, .unit = "rows"});
        clock.advance(std::chrono::milliseconds{10});
    }
    const auto read = events();
    ASSERT_GE(read.size(), 3U);
    EXPECT_LE(read.size(), 8U);
    EXPECT_EQ(read.front().done, 1);
    EXPECT_EQ(read.back().done, 100);
    EXPECT_EQ(read.back().eta_seconds, 0);
}

TEST_F(EventSinkTest, WorksOutRateAndTimeLeft) {
    sink.progress({.phase = "train", .done = 0, .total = 100, .unit = "steps"});
    clock.advance(std::chrono::seconds{10});
    sink.progress({.phase = "train", .done = 20, .total = 100, .unit = "steps"});
    const auto read = events();
    ASSERT_EQ(read.size(), 2U);
    EXPECT_DOUBLE_EQ(read[1].rate, 2);
    EXPECT_DOUBLE_EQ(read[1].eta_seconds.value(), 40);
}

TEST_F(EventSinkTest, AReaderThatHasGoneIsNoError) {
    pipe.read_end.reset();
    std::signal(SIGPIPE, SIG_IGN);
    sink.say("x", "nobody hears this");
    sink.metrics("x", 1, {{"loss", 1.0}});
}

class RunLogTest : public ::testing::Test {
protected:
    Pipe pipe = make_pipe().value();
    fakes::ManualClock clock;
    RunLog log{pipe.write_end.get(), clock};
    EventSink sink{-1, clock, &log};
};

TEST_F(RunLogTest, SaysWhatHappenedInDatedLines) {
    const std::string now = to_rfc3339(clock.now());
    sink.progress({.phase = "train", .done = 0, .total = 4, .unit = "steps"});
    sink.metrics("train", 1, {{"loss", 2.5}});
    sink.say("train", "two\nlines");
    EXPECT_EQ(
        written_into(pipe),
        fmt::format(
            "{0} train: 0 of 4 steps\n{0} train: at 1, loss 2.5\n{0} train: two lines\n", now
        )
    );
}

TEST_F(RunLogTest, HasALineASecondAndTheLastOfAPhase) {
    for (int done = 1; done <= 250; ++done) {
        sink.progress({.phase = "train", .done = done, .total = 250, .unit = "steps"});
        sink.metrics("train", done, {{"loss", 1}});
        clock.advance(std::chrono::milliseconds{10});
    }
    const std::string all = written_into(pipe);
    EXPECT_LE(std::ranges::count(all, '\n'), 8);
    EXPECT_NE(all.find("train: 250 of 250 steps, 100/s\n"), std::string::npos) << all;
}

}  // namespace
}  // namespace nexa::pipelines
