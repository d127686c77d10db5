// SPDX-License-Identifier: Apache-2.0
#include "protocol/runner_frames.h"

#include <gmock/gmock.h>

namespace nexa::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

GenerateRequest request() {
    return {
        .id = "r1",
        .messages = {{.role = "user", .content = "two\nlines"}},
        .max_new_tokens = 5,
        .temperature = 0.5,
        .seed = UINT64_MAX,
        .stop = {"\n\n"},
    };
}

TEST(RunnerFrames, EveryFrameIsOneLineThatReadsBackTheSame) {
    const std::vector<RunnerAsk> asks{RunnerHello{}, request(), CancelRequest{.id = "r1"}};
    for (const RunnerAsk& ask : asks) {
        const std::string frame = to_frame(ask);
        EXPECT_EQ(frame.find('\n'), frame.size() - 1);
        const auto back = read_ask(frame);
        ASSERT_TRUE(back) << back.error().to_string();
        EXPECT_EQ(*back, ask);
    }
    const std::vector<RunnerSays> said{
        RunnerReady{.max_positions = 64, .vocab = 20, .chat_format = "plain"},
        RunnerDelta{.id = "r1", .text = "é\n", .token_count = 2},
        RunnerDone{.id = "r1", .finish_reason = "stop", .completion_tokens = 2},
        RunnerFailed{.id = "r1", .code = "not_found", .message = "no"},
    };
    for (const RunnerSays& says : said) {
        const auto back = read_says(to_frame(says));
        ASSERT_TRUE(back) << back.error().to_string();
        EXPECT_EQ(*back, says);
    }
}

TEST(RunnerFrames, WhatIsNewInThemIsPassedOver) {
    const auto ask = read_ask(R"({"type":"cancel","id":"r1","why":"tired"})");
    ASSERT_TRUE(ask);
    EXPECT_EQ(*ask, RunnerAsk(CancelRequest{.id = "r1"}));
}

TEST(RunnerFrames, WhatIsWrongInThemIsRefused) {
    EXPECT_EQ(read_ask("{").error().code, ErrorCode::kMalformed);
    for (const char* line : {
             R"([])",
             R"({"id":"r1"})",
             R"({"type":"sing","id":"r1"})",
             R"({"type":"generate","prompt":"x"})",
             R"({"type":"generate","id":"","prompt":"x"})",
             R"({"type":"generate","id":"r1"})",
             R"({"type":"generate","id":"r1","prompt":"x","messages":[{"role":"user","content":""}]})",
             R"({"type":"generate","id":"r1","prompt":"x","max_new_tokens":0})",
             R"({"type":"generate","id":"r1","prompt":"x","temperature":-1})",
             R"({"type":"generate","id":"r1","prompt":"x","top_p":1.5})",
             R"({"type":"generate","id":"r1","prompt":"x","stop":[""]})",
             R"({"type":"generate","id":"r1","prompt":"x","stop":["a","b","c","d","e"]})",
         }) {
        const auto ask = read_ask(line);
        ASSERT_FALSE(ask) << line;
        EXPECT_EQ(ask.error().code, ErrorCode::kInvalidArgument) << line;
    }
}

TEST(FrameSplitter, LinesComeWholeHoweverTheBytesWereCut) {
    FrameSplitter splitter;
    EXPECT_THAT(*splitter.feed("{\"a\""), IsEmpty());
    EXPECT_THAT(*splitter.feed(":1}\n{}\n\n{"), ElementsAre("{\"a\":1}", "{}"));
    EXPECT_THAT(*splitter.feed("}\n"), ElementsAre("{}"));
}

TEST(FrameSplitter, ALineMayBeAsLongAsTheLimitAndNoLonger) {
    FrameSplitter fits(4);
    EXPECT_THAT(*fits.feed("abcd\n"), ElementsAre("abcd"));
    FrameSplitter whole(4);
    EXPECT_EQ(whole.feed("abcde\n").error().code, ErrorCode::kResourceExhausted);
    FrameSplitter pieces(4);
    EXPECT_TRUE(pieces.feed("abc"));
    EXPECT_EQ(pieces.feed("de").error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace nexa::protocol
