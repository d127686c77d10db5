// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/generation_set.h"

#include <map>

#include <gmock/gmock.h>

#include "core/utf8.h"
#include "engine/runner/model_test_internal.h"

namespace nexa::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

protocol::GenerateRequest chat(std::string id, std::string content = "hi") {
    return {
        .id = std::move(id),
        .messages = {{.role = "user", .content = std::move(content)}},
        .temperature = 0,
    };
}

protocol::GenerateRequest completion(std::string id, std::string prompt, std::int64_t tokens) {
    return {
        .id = std::move(id),
        .prompt = std::move(prompt),
        .max_new_tokens = tokens,
        .temperature = 0,
    };
}

/// A set over the test model, and what it has said to client 1.
class GenerationSets : public ::testing::Test {
protected:
    void use(const GenerationLimits& limits) {
        set = std::make_unique<GenerationSet>(model, limits);
    }
    void SetUp() override { use({}); }

    bool round() {
        return set->advance_all(
            [this](GenerationSet::Client client, protocol::RunnerSays says) {
                take(client, std::move(says));
            },
            [this](GenerationSet::Client client) { return client != blocked; }
        );
    }
    void run() {
        while (round()) {
        }
    }
    void take(GenerationSet::Client client, protocol::RunnerSays says) {
        if (auto* delta = std::get_if<protocol::RunnerDelta>(&says)) {
            EXPECT_FALSE(find_invalid_utf8(delta->text)) << delta->text;
            text[delta->id] += delta->text;
            order += delta->id;
        } else if (auto* done = std::get_if<protocol::RunnerDone>(&says)) {
            ended.push_back(done->id);
            finish[done->id] = *done;
        } else if (auto* failed = std::get_if<protocol::RunnerFailed>(&says)) {
            ended.push_back(failed->id);
            failures[failed->id] = *failed;
        }
        clients.push_back(client);
    }

    static inline const TestModelFolder* folder = nullptr;
    static void SetUpTestSuite() { folder = new TestModelFolder({.sharpness = 0.4F}); }
    static void TearDownTestSuite() { delete folder; }

    ServingModel model = ServingModel::load(folder->path()).value();
    std::unique_ptr<GenerationSet> set;
    GenerationSet::Client blocked = 0;
    std::map<std::string, std::string> text;
    std::map<std::string, protocol::RunnerDone> finish;
    std::map<std::string, protocol::RunnerFailed> failures;
    std::vector<std::string> ended;
    std::vector<GenerationSet::Client> clients;
    std::string order;
};

TEST_F(GenerationSets, AnAnswerEndsWithItsEndToken) {
    ASSERT_TRUE(set->add(1, chat("a")));
    run();
    EXPECT_EQ(text["a"], kAnswer);
    EXPECT_EQ(finish["a"].finish_reason, "stop");
    EXPECT_EQ(finish["a"].completion_tokens, static_cast<std::int64_t>(kAnswer.size()));
    EXPECT_GT(finish["a"].prompt_tokens, 5);
    EXPECT_TRUE(set->empty());
}

TEST_F(GenerationSets, AnAnswerEndsAtItsLength) {
    ASSERT_TRUE(set->add(1, completion("a", "x", 4)));
    ASSERT_TRUE(set->add(1, completion("b", "wxyz", 1000)));
    run();
    EXPECT_EQ(text["a"], "yzab");
    EXPECT_EQ(finish["a"].finish_reason, "length");
    EXPECT_EQ(finish["a"].prompt_tokens, 1);
    EXPECT_EQ(finish["a"].completion_tokens, 4);
    EXPECT_EQ(finish["b"].completion_tokens, 60);  // of 64 positions, 4 are the prompt's
}

TEST_F(GenerationSets, AnEmptyPromptStartsAnew) {
    ASSERT_TRUE(set->add(1, completion("a", "", 3)));
    run();
    EXPECT_EQ(text["a"], "abc");
}

TEST_F(GenerationSets, AStopTextEndsTheAnswerAndIsNotInIt) {
    auto request = completion("a", "a", 50);
    request.stop = {"xyz", "hij"};
    ASSERT_TRUE(set->add(1, request));
    auto within = chat("b");
    within.stop = {"\u20ac"};
    ASSERT_TRUE(set->add(1, within));
    run();
    EXPECT_EQ(text["a"], "bcdefg");
    EXPECT_EQ(finish["a"].finish_reason, "stop");
    EXPECT_EQ(finish["a"].completion_tokens, 9);
    EXPECT_EQ(text["b"], "H\u00e9, 2");
}

TEST_F(GenerationSets, ACharacterCutAtTheEndIsReplaced) {
    auto request = chat("a");
    request.max_new_tokens = 2;  // "H" and the first byte of "é"
    ASSERT_TRUE(set->add(1, request));
    run();
    EXPECT_EQ(text["a"], "H\uFFFD");
    EXPECT_EQ(finish["a"].finish_reason, "length");
}

TEST_F(GenerationSets, SequencesAdvanceTogetherAndEqualThoseAlone) {
    ASSERT_TRUE(set->add(1, completion("a", "a", 5)));
    ASSERT_TRUE(set->add(1, completion("b", "m", 5)));
    run();
    EXPECT_EQ(order, "ababababab");
    EXPECT_EQ(text["a"], "bcdef");
    EXPECT_EQ(text["b"], "nopqr");
}

TEST_F(GenerationSets, TheSameSeedGivesTheSameAnswerWhateverRunsBeside) {
    const auto sampled = [](std::string id, std::uint64_t seed) {
        auto request = completion(std::move(id), "a", 30);
        request.temperature = 1.5;
        request.seed = seed;
        return request;
    };
    ASSERT_TRUE(set->add(1, sampled("alone", 7)));
    run();
    ASSERT_TRUE(set->add(1, sampled("other", 8)));
    ASSERT_TRUE(set->add(1, sampled("again", 7)));
    run();
    EXPECT_EQ(text["again"], text["alone"]);
    EXPECT_NE(text["other"], text["alone"]);
}

TEST_F(GenerationSets, TheColdestAndTheNarrowestAreTheLikeliest) {
    auto cold = completion("cold", "a", 10);
    cold.temperature = 1e-300;
    auto narrow = completion("narrow", "a", 10);
    narrow.temperature = 2;
    narrow.top_p = 0;
    ASSERT_TRUE(set->add(1, cold));
    ASSERT_TRUE(set->add(1, narrow));
    run();
    EXPECT_EQ(text["cold"], "bcdefghijk");
    EXPECT_EQ(text["narrow"], "bcdefghijk");
}

TEST_F(GenerationSets, BeyondThoseActiveTheyWaitInTheirOrderAndBeyondThoseTheyAreRefused) {
    use({.active_max = 2, .waiting_max = 2});
    for (const char* id : {"a", "b", "c", "d"}) {
        ASSERT_TRUE(set->add(1, completion(id, "a", 3))) << id;
    }
    EXPECT_EQ(set->active(), 2U);
    EXPECT_EQ(set->waiting(), 2U);
    EXPECT_EQ(set->add(1, chat("e")).error().code, ErrorCode::kResourceExhausted);
    run();
    EXPECT_THAT(ended, ElementsAre("a", "b", "c", "d"));
    EXPECT_TRUE(set->add(1, chat("e")));
}

TEST_F(GenerationSets, ACancelledRequestFreesItsPlaceAtOnce) {
    use({.active_max = 1, .waiting_max = 2});
    ASSERT_TRUE(set->add(1, completion("a", "a", 50)));
    ASSERT_TRUE(set->add(1, completion("b", "a", 2)));
    ASSERT_TRUE(set->add(1, completion("c", "a", 2)));
    round();
    set->cancel(1, "b");
    set->cancel(1, "a");
    set->cancel(1, "unknown");
    set->cancel(2, "c");  // another client's
    run();
    EXPECT_THAT(ended, ElementsAre("c"));
    EXPECT_EQ(text["a"], "b");
}

TEST_F(GenerationSets, OfAClientThatWentNothingIsLeft) {
    ASSERT_TRUE(set->add(1, completion("a", "a", 2)));
    ASSERT_TRUE(set->add(2, completion("a", "a", 2)));
    set->drop_client(1);
    run();
    EXPECT_THAT(clients, ElementsAre(2, 2, 2));
}

TEST_F(GenerationSets, AClientThatDoesNotReadWaitsAndTheOthersGoOn) {
    ASSERT_TRUE(set->add(1, completion("a", "a", 2)));
    ASSERT_TRUE(set->add(2, completion("b", "a", 2)));
    blocked = 1;
    run();
    EXPECT_THAT(ended, ElementsAre("b"));
    blocked = 0;
    run();
    EXPECT_THAT(ended, ElementsAre("b", "a"));
}

TEST_F(GenerationSets, WhatCannotBeAnsweredIsRefusedWithItsPlace) {
    const auto refused = [&](const protocol::GenerateRequest& request) {
        const Status status = set->add(1, request);
        EXPECT_FALSE(status);
        return status ? "" : status.error().to_string();
    };
    EXPECT_THAT(refused(completion("a", std::string(64, 'x'), 1)), HasSubstr("prompt: it has 64"));
    EXPECT_TRUE(set->add(1, completion("fits", std::string(63, 'x'), 5)));
    EXPECT_THAT(refused(chat("b", std::string(64, 'x'))), HasSubstr("messages"));
    auto role = chat("c");
    role.messages[0].role = "oracle";
    EXPECT_THAT(refused(role), HasSubstr("oracle"));
    EXPECT_EQ(set->add(1, completion("fits", "x", 5)).error().code, ErrorCode::kConflict);
    run();
    EXPECT_EQ(finish["fits"].completion_tokens, 1);
}

TEST_F(GenerationSets, AModelOfBrokenNumbersFailsItsRequests) {
    const at::NoGradGuard no_grad;
    for (const auto& parameter : model.decoder().parameters()) {
        at::Tensor values = parameter.value;
        values.fill_(std::numeric_limits<float>::quiet_NaN());
    }
    ASSERT_TRUE(set->add(1, chat("a")));
    run();
    EXPECT_EQ(failures["a"].code, "data_loss");
    EXPECT_TRUE(set->empty());
}

TEST(ServingModels, AFolderThatLacksAFileIsRefused) {
    for (const char* name : {"config.json", "model.safetensors", "tokenizer.json"}) {
        const TestModelFolder folder;
        std::filesystem::remove(folder.path() / name);
        const auto loaded = ServingModel::load(folder.path());
        ASSERT_FALSE(loaded) << name;
        EXPECT_EQ(loaded.error().code, ErrorCode::kNotFound) << name;
    }
}

}  // namespace
}  // namespace nexa::runner
