// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/text_likelihood.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "engine/pipelines/tiny_model_test_internal.h"

namespace nexa::pipelines {
namespace {

std::string some_text(int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i) {
        text += fmt::format("line {} of the text; ", i * i);
    }
    return text;
}

TEST(Chunks, PredictEveryTokenButTheFirstOnce) {
    const models::TextCodec codec = tiny_codec();
    const std::string text = some_text(40);
    const auto ids = codec.tokenizer().encode(text, text::SpecialTokens::kPlainText);
    for (const std::int64_t size : {2, 7, 64, 10'000}) {
        const auto chunks = chunks_of(data::TextRow{text}, codec, size).value();
        std::vector<std::int32_t> predicted;
        std::int64_t bytes = 0;
        for (const TextChunk& chunk : chunks) {
            EXPECT_LE(static_cast<std::int64_t>(chunk.ids.size()), size);
            EXPECT_EQ(chunk.counted[0], 0);
            predicted.insert(predicted.end(), chunk.ids.begin() + 1, chunk.ids.end());
            bytes += chunk.bytes;
        }
        EXPECT_EQ(predicted, std::vector<std::int32_t>(ids.begin() + 1, ids.end())) << size;
        const auto first = codec.tokenizer().token_of(ids[0]).value().size();
        EXPECT_EQ(bytes, static_cast<std::int64_t>(text.size() - first)) << size;
    }
}

TEST(Chunks, OfAPairCountTheAnswerWithoutItsEnd) {
    const models::TextCodec codec = tiny_codec();
    const auto chunks = chunks_of(data::PromptCompletionRow{"12+30=", "42"}, codec, 64).value();
    ASSERT_EQ(chunks.size(), 1U);
    EXPECT_EQ(chunks[0].tokens, 2);
    EXPECT_EQ(chunks[0].bytes, 2);
    EXPECT_EQ(chunks[0].ids.back(), codec.end_id());
    EXPECT_EQ(chunks[0].counted.back(), 0);
}

TEST(Chunks, OfNothingAreNone) {
    const models::TextCodec codec = tiny_codec();
    EXPECT_TRUE(chunks_of(data::TextRow{""}, codec, 64)->empty());
    EXPECT_TRUE(chunks_of(data::TextRow{"7"}, codec, 64)->empty());
    EXPECT_TRUE(chunks_of(data::PromptCompletionRow{"why?", ""}, codec, 64)->empty());
    EXPECT_FALSE(chunks_of(data::ChatRow{}, codec, 64));
}

TEST(MeasuredChunks, AreWhatTheModelSaysOfEachAlone) {
    at::set_num_threads(1);
    const nets::LanguageModel model = tiny_model();
    std::vector<TextChunk> chunks;
    for (int i = 1; i < 12; ++i) {
        for (TextChunk& chunk : chunks_of(data::TextRow{some_text(i)}, model.codec, 64).value()) {
            chunks.push_back(std::move(chunk));
        }
        for (TextChunk& chunk :
             chunks_of(data::QuestionAnswerRow{"what?", some_text(i)}, model.codec, 64).value()) {
            chunks.push_back(std::move(chunk));
        }
    }
    const auto together = measure_chunks(model.decoder, chunks).value();
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const std::vector<std::int64_t> ids(chunks[i].ids.begin(), chunks[i].ids.end());
        const at::Tensor hidden = model.decoder.hidden_states(
            {.ids = at::tensor(ids).unsqueeze(0), .positions = {}, .documents = {}}
        );
        const at::Tensor likely = at::log_softmax(model.decoder.logits(hidden)[0], -1);
        double nats = 0;
        for (std::size_t k = 1; k < ids.size(); ++k) {
            nats -= chunks[i].counted[k] != 0
                        ? likely[static_cast<std::int64_t>(k) - 1][ids[k]].item<double>()
                        : 0;
        }
        EXPECT_NEAR(together[i].nats, nats, 1e-3) << i;
        EXPECT_EQ(together[i].tokens, chunks[i].tokens);
        EXPECT_EQ(together[i].bytes, chunks[i].bytes);
    }
}

TEST(LocalModels, AnswersDoNotDependOnWhatElseIsAsked) {
    at::set_num_threads(1);
    const nets::LanguageModel model = tiny_model();
    std::vector<std::vector<text::ChatMessage>> conversations;
    for (int i = 0; i < 40; ++i) {
        conversations.push_back({{"user", std::string(static_cast<std::size_t>(1 + i % 9), 'a')}});
    }
    std::vector<ModelQuestion> questions;
    for (std::size_t i = 0; i < conversations.size(); ++i) {
        questions.push_back({.messages = conversations[i], .seed = i});
    }
    const AnswerOptions options{.new_tokens_max = 8, .temperature = 0.8};
    std::vector<std::int64_t> reported;
    const auto together = answer_questions(model, questions, options, {}, [&](std::int64_t done) {
        reported.push_back(done);
        return Status();
    });
    ASSERT_TRUE(together);
    EXPECT_EQ(reported.back(), 40);
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const auto alone = answer_questions(model, std::span(questions).subspan(i, 1), options);
        EXPECT_EQ((*alone)[0].text, (*together)[i].text) << i;
        EXPECT_EQ((*alone)[0].answer_tokens, (*together)[i].answer_tokens) << i;
    }
}

TEST(LocalModels, IdsWithoutATextBecomeReplacementCharacters) {
    at::set_num_threads(1);
    nets::LanguageModel model = tiny_model();
    models::ModelConfig config = model.decoder.config();
    config.vocab += 500;
    model.decoder = nets::Decoder::create(config, 3).value();
    const std::vector<text::ChatMessage> asked{{"user", "what"}};
    std::vector<ModelQuestion> questions;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        questions.push_back({.messages = asked, .seed = seed});
    }
    const auto answers =
        answer_questions(model, questions, {.new_tokens_max = 10, .temperature = 2});
    ASSERT_TRUE(answers) << answers.error().to_string();
    EXPECT_NE((*answers)[0].text.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(LocalModels, StopWhenAsked) {
    at::set_num_threads(1);
    const nets::LanguageModel model = tiny_model();
    const std::vector<text::ChatMessage> asked{{"user", "what"}};
    const std::vector<ModelQuestion> questions{{.messages = asked}};
    EXPECT_EQ(
        answer_questions(model, questions, {}, [] { return true; }).error().code,
        ErrorCode::kCancelled
    );
    const auto chunks = chunks_of(data::TextRow{"some text"}, model.codec, 64).value();
    EXPECT_EQ(
        measure_chunks(model.decoder, chunks, [] { return true; }).error().code,
        ErrorCode::kCancelled
    );
}

}  // namespace
}  // namespace nexa::pipelines
