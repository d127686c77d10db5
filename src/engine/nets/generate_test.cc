// SPDX-License-Identifier: Apache-2.0
#include "engine/nets/generate.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "engine/nets/testing_internal.h"

namespace nexa::nets {
namespace {

using Ids = std::vector<std::int64_t>;

/// Greedy continuation without a cache: a whole pass for each token.
Ids continue_slowly(const Decoder& decoder, Ids prompt, int count) {
    Ids tokens;
    for (int i = 0; i < count; ++i) {
        const at::Tensor hidden =
            decoder.hidden_states({.ids = row_of(prompt), .positions = {}, .documents = {}});
        const auto next = decoder.logits(hidden)[0][-1].argmax().item<std::int64_t>();
        tokens.push_back(next);
        prompt.push_back(next);
    }
    return tokens;
}

TEST(Generate, GreedyEqualsOnePassForEachTokenForPromptsOfAnyLength) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts{{1, 2, 3, 4, 5}, {6}, {7, 8}};
    const auto generated = generate(decoder, prompts, {.new_tokens_max = 10});
    ASSERT_TRUE(generated) << generated.error().to_string();
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        EXPECT_EQ((*generated)[i].tokens, continue_slowly(decoder, prompts[i], 10)) << i;
        EXPECT_EQ((*generated)[i].finish_reason, FinishReason::kLength);
    }
}

TEST(Generate, ARowThatStopsLeavesTheOthersAsTheyWere) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts{{1, 2, 3}, {6}, {7, 8}, {9, 10}};
    const SamplingOptions free{.new_tokens_max = 12};
    const auto unstopped = generate(decoder, prompts, free);
    ASSERT_TRUE(unstopped);
    SamplingOptions stopping = free;
    stopping.stop_ids = {(*unstopped)[1].tokens[2]};
    const auto stopped = generate(decoder, prompts, stopping);
    ASSERT_TRUE(stopped);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        Ids expected = (*unstopped)[i].tokens;
        const auto stop = std::ranges::find(expected, stopping.stop_ids[0]);
        const bool found = stop != expected.end();
        expected.erase(stop, expected.end());
        EXPECT_EQ((*stopped)[i].tokens, expected) << i;
        EXPECT_EQ((*stopped)[i].finish_reason, found ? FinishReason::kStop : FinishReason::kLength);
    }
    EXPECT_LE((*stopped)[1].tokens.size(), 2U);
}

TEST(Generate, EndsAtTheModelsLastPosition) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts{Ids(30, 3), Ids(32, 3), Ids(2, 3)};
    const auto generated = generate(decoder, prompts, {.new_tokens_max = 100});
    ASSERT_TRUE(generated);
    EXPECT_EQ((*generated)[0].tokens.size(), 2U);
    EXPECT_EQ((*generated)[1].tokens.size(), 0U);
    EXPECT_EQ((*generated)[2].tokens.size(), 30U);
}

TEST(Generate, SamplingRepeatsWithItsSeedAndDiffersWithAnother) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts{{1, 2}, {3}};
    SamplingOptions options{.new_tokens_max = 20, .temperature = 1.5, .seed = 5};
    const auto first = generate(decoder, prompts, options);
    const auto again = generate(decoder, prompts, options);
    options.seed = 6;
    const auto other = generate(decoder, prompts, options);
    ASSERT_TRUE(first && again && other);
    EXPECT_EQ((*first)[0].tokens, (*again)[0].tokens);
    EXPECT_EQ((*first)[1].tokens, (*again)[1].tokens);
    EXPECT_NE((*first)[0].tokens, (*other)[0].tokens);
    EXPECT_NE((*first)[0].tokens, (*first)[1].tokens);
}

TEST(Generate, APromptsDrawsDoNotDependOnItsNeighbors) {
    const Decoder decoder = test_decoder();
    const SamplingOptions options{.new_tokens_max = 15, .temperature = 1.0, .seed = 5};
    const auto alone = generate(decoder, std::vector<Ids>{{1, 2}}, options);
    const auto among = generate(decoder, std::vector<Ids>{{1, 2}, {3}, {4, 5, 6, 7}}, options);
    ASSERT_TRUE(alone && among);
    EXPECT_EQ((*alone)[0].tokens, (*among)[0].tokens);
}

TEST(Generate, WithSeedsOfTheirOwnPromptsAnswerAlikeInAnyBatch) {
    const Decoder decoder = test_decoder();
    SamplingOptions options{.new_tokens_max = 15, .temperature = 1.0, .seeds = {5, 6, 7}};
    const auto three = generate(decoder, std::vector<Ids>{{1, 2}, {3}, {1, 2}}, options);
    options.seeds = {7, 5};
    const auto two = generate(decoder, std::vector<Ids>{{1, 2}, {1, 2}}, options);
    ASSERT_TRUE(three && two);
    EXPECT_EQ((*two)[0].tokens, (*three)[2].tokens);
    EXPECT_EQ((*two)[1].tokens, (*three)[0].tokens);
    EXPECT_NE((*two)[0].tokens, (*two)[1].tokens);
    EXPECT_EQ(generate(decoder, std::vector<Ids>{{1, 2}}, options).error().param, "seeds");
}

TEST(Generate, LongPromptsContinueAsShortOnesDo) {
    // Above 64 tokens attention is libtorch's, below our own loop.
    models::ModelConfig config = test_config();
    config.max_positions = 128;
    const Decoder decoder = Decoder::create(config, 3).value();
    Ids prompt;
    for (std::int64_t i = 0; i < 100; ++i) {
        prompt.push_back((i * i + 3) % 20);
    }
    const std::vector<Ids> prompts{prompt, Ids(prompt.begin(), prompt.begin() + 60)};
    const auto both = generate(decoder, prompts, {.new_tokens_max = 8});
    ASSERT_TRUE(both);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto alone =
            generate(decoder, std::span(prompts).subspan(i, 1), {.new_tokens_max = 8});
        EXPECT_EQ((*alone)[0].tokens, (*both)[i].tokens) << i;
    }
}

TEST(Generate, RowsThatEndOneByOneLeaveTheOthersAsTheyAreAlone) {
    const Decoder decoder = test_decoder();
    std::vector<Ids> prompts;
    for (std::int64_t i = 0; i < 12; ++i) {
        prompts.emplace_back(static_cast<std::size_t>(31 - i), i);
    }
    const auto together = generate(decoder, prompts, {.new_tokens_max = 100});
    ASSERT_TRUE(together);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto alone =
            generate(decoder, std::span(prompts).subspan(i, 1), {.new_tokens_max = 100});
        EXPECT_EQ((*together)[i].tokens, (*alone)[0].tokens) << i;
        EXPECT_EQ((*together)[i].tokens.size(), i + 1);
    }
}

TEST(Generate, ATinyTopPIsGreedy) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts{{1, 2}, {3}};
    const auto greedy = generate(decoder, prompts, {.new_tokens_max = 10});
    const auto narrow = generate(
        decoder, prompts, {.new_tokens_max = 10, .temperature = 2.0, .top_p = 1e-6, .seed = 9}
    );
    ASSERT_TRUE(greedy && narrow);
    EXPECT_EQ((*greedy)[0].tokens, (*narrow)[0].tokens);
}

TEST(Generate, SamplesEachTokenAsOftenAsTheModelSays) {
    const Decoder decoder = test_decoder();
    const std::vector<Ids> prompts(2000, Ids{4, 2});
    const auto generated =
        generate(decoder, prompts, {.new_tokens_max = 1, .temperature = 1.0, .seed = 3});
    ASSERT_TRUE(generated);
    std::vector<double> counts(20);
    for (const Generation& generation : *generated) {
        counts[static_cast<std::size_t>(generation.tokens[0])] += 1.0;
    }
    const at::Tensor hidden =
        decoder.hidden_states({.ids = row_of({4, 2}), .positions = {}, .documents = {}});
    const at::Tensor expected = decoder.logits(hidden)[0][-1].softmax(0);
    for (std::size_t id = 0; id < counts.size(); ++id) {
        const double probability = expected[static_cast<std::int64_t>(id)].item<double>();
        const double deviation = std::sqrt(probability * (1 - probability) / 2000);
        EXPECT_NEAR(counts[id] / 2000, probability, 4.5 * deviation) << id;
    }
}

TEST(Generate, StopsBetweenStepsWhenAsked) {
    const Decoder decoder = test_decoder();
    int asked = 0;
    const auto generated = generate(decoder, std::vector<Ids>{{1}}, {.new_tokens_max = 10}, [&] {
        return ++asked == 3;
    });
    ASSERT_FALSE(generated);
    EXPECT_EQ(generated.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(asked, 3);
}

TEST(Generate, OfNothingIsNothing) {
    const Decoder decoder = test_decoder();
    const auto none = generate(decoder, std::vector<Ids>{}, {});
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->empty());
    const auto no_tokens = generate(decoder, std::vector<Ids>{{1}}, {.new_tokens_max = 0});
    ASSERT_TRUE(no_tokens);
    EXPECT_TRUE((*no_tokens)[0].tokens.empty());
}

TEST(Generate, RefusesWhatDoesNotFitAndSaysWhere) {
    const Decoder decoder = test_decoder();
    const auto param = [&](const std::vector<Ids>& prompts, const SamplingOptions& options) {
        const auto generated = generate(decoder, prompts, options);
        EXPECT_FALSE(generated);
        return generated ? "" : generated.error().param;
    };
    EXPECT_EQ(param({{1}, {}}, {}), "prompts[1]");
    EXPECT_EQ(param({{20}}, {}), "prompts[0]");
    EXPECT_EQ(param({{-1}}, {}), "prompts[0]");
    EXPECT_EQ(param({Ids(33, 1)}, {}), "prompts[0]");
    EXPECT_EQ(param({{1}}, {.temperature = -0.1}), "temperature");
    EXPECT_EQ(param({{1}}, {.temperature = std::nan("")}), "temperature");
    EXPECT_EQ(param({{1}}, {.top_p = 0.0}), "top_p");
    EXPECT_EQ(param({{1}}, {.top_p = 1.01}), "top_p");
    EXPECT_EQ(param({{1}}, {.new_tokens_max = -1}), "new_tokens_max");
}

}  // namespace
}  // namespace nexa::nets
