// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/llm_client.h"

#include <future>

#include "engine/pipelines/llm_worker_test_internal.h"
#include "fakes/manual_clock.h"
#include "fakes/temp_folder.h"

namespace nexa::pipelines {
namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

LlmReply echo(const LlmRequest& request) {
    return {.id = request.id, .choices = {{.text = request.messages.back().content}}};
}

std::vector<LlmRequest> questions(int count) {
    std::vector<LlmRequest> requests;
    for (int i = 0; i < count; ++i) {
        requests.push_back({.messages = {{.role = "user", .content = std::to_string(i)}}});
    }
    return requests;
}

class LlmClientTest : public testing::Test {
protected:
    Result<std::vector<LlmReply>> ask(std::vector<LlmRequest> requests) {
        auto client = LlmClient::connect(folder.path(), token, clock, options);
        if (!client) {
            return std::move(client).error();
        }
        return client->ask(std::move(requests));
    }

    fakes::TempFolder folder;
    CancelSource cancel;
    CancelToken token = cancel.token();
    fakes::ManualClock clock;
    LlmClientOptions options;
    std::promise<void> asked;  ///< has a result: the worker need not wait any more
};

TEST_F(LlmClientTest, RepliesAreInTheOrderOfTheRequestsWhateverTheirsIs) {
    FakeLlmWorker worker(folder.path(), echo, 8);
    options.outstanding_max = 8;
    const auto replies = ask(questions(100));
    ASSERT_TRUE(replies) << replies.error().to_string();
    ASSERT_EQ(replies->size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_EQ((*replies)[i].choices.at(0).text, std::to_string(i));
    }
    EXPECT_LE(worker.most_under_way(), 8U);
}

TEST_F(LlmClientTest, OneClientAsksAgainAndAgain) {
    const FakeLlmWorker worker(folder.path(), echo);
    auto client = LlmClient::connect(folder.path(), token, clock, options);
    ASSERT_TRUE(client);
    EXPECT_TRUE(client->ask({})->empty());
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(client->ask(questions(2))->at(1).choices.at(0).text, "1");
    }
}

TEST_F(LlmClientTest, ErrorOfOneRequestLeavesTheOthersTheirAnswers) {
    const FakeLlmWorker worker(folder.path(), [](const LlmRequest& request) {
        LlmReply reply = echo(request);
        if (request.messages[0].content == "1") {
            reply.error = {.code = "malformed", .message = "no", .param = "teacher", .hint = "h"};
        }
        return reply;
    });
    const auto replies = ask(questions(3));
    ASSERT_TRUE(replies);
    EXPECT_FALSE((*replies)[0].error);
    ASSERT_TRUE((*replies)[1].error);
    EXPECT_TRUE(is_about_one_request(*(*replies)[1].error));
    EXPECT_FALSE(is_cost_cap(*(*replies)[1].error));
    const Error error = to_error(*(*replies)[1].error);
    EXPECT_EQ(error.code, ErrorCode::kMalformed);
    EXPECT_EQ(error.to_string(), "teacher: no (h)");
    EXPECT_FALSE((*replies)[2].error);
}

TEST_F(LlmClientTest, LargeQuestionsAndAnswersPass) {
    const FakeLlmWorker worker(folder.path(), echo);
    const std::string large(3'000'000, 'x');
    std::vector<LlmRequest> requests(3, {.messages = {{.role = "user", .content = large}}});
    const auto replies = ask(std::move(requests));
    ASSERT_TRUE(replies) << replies.error().to_string();
    EXPECT_EQ(replies->at(2).choices.at(0).text, large);
}

TEST_F(LlmClientTest, QuestionLargerThanALineIsRefused) {
    const FakeLlmWorker worker(folder.path(), echo);
    const auto refused = ask(
        {{.messages = {{.role = "user", .content = std::string(protocol::kLlmLineBytesMax, 'x')}}}}
    );
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(LlmClientTest, WithoutASocketItSaysWhatToDo) {
    const auto none = ask(questions(1));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(none.error().advice.empty());
}

TEST_F(LlmClientTest, WorkerThatHangsUpIsUnavailable) {
    const FakeLlmWorker worker(folder.path(), [](const LlmRequest&) { return LlmReply{.id = -1}; });
    const auto gone = ask(questions(2));
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
}

TEST_F(LlmClientTest, WhatTheWorkerCutsOffForIsTold) {
    const FakeLlmWorker worker(folder.path(), [](const LlmRequest&) {
        return LlmReply{.error = protocol::EngineError{.code = "malformed", .message = "what?"}};
    });
    const auto told = ask(questions(1));
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().message, "what?");
}

TEST_F(LlmClientTest, CancelEndsTheWait) {
    // The second question is not answered before the wait is over: what ends it is the cancel.
    const FakeLlmWorker worker(folder.path(), [this](const LlmRequest& request) {
        if (request.messages[0].content == "1") {
            cancel.cancel();
            asked.get_future().wait();
        }
        return echo(request);
    });
    options.outstanding_max = 1;
    const auto cancelled = ask(questions(3));
    asked.set_value();
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
}

TEST_F(LlmClientTest, CancelledBeforehandAsksNothing) {
    const FakeLlmWorker worker(folder.path(), echo);
    cancel.cancel();
    EXPECT_EQ(ask(questions(1)).error().code, ErrorCode::kCancelled);
}

TEST_F(LlmClientTest, WorkerThatSaysNothingCountsAsHungAMomentPastTheLimit) {
    options.silence_max = std::chrono::hours(3);
    options.outstanding_max = 1;
    // Answers the first question at the limit, and the second never.
    FakeLlmWorker worker(folder.path(), [this](const LlmRequest& request) {
        clock.advance(options.silence_max);
        if (request.messages[0].content == "1") {
            clock.advance(std::chrono::microseconds(1));
            asked.get_future().wait();
        }
        return echo(request);
    });
    const auto late = ask(questions(2));
    asked.set_value();
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(worker.seen().size(), 2U) << "the first answer was in time";
}

}  // namespace
}  // namespace nexa::pipelines
