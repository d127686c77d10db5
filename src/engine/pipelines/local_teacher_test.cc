// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/sha256.h"
#include "engine/pipelines/teacher.h"
#include "engine/pipelines/tiny_model_test_internal.h"
#include "fakes/temp_folder.h"

namespace nexa::pipelines {
namespace {

using ::testing::HasSubstr;

class LocalTeacherTest : public ::testing::Test {
protected:
    std::unique_ptr<Teacher> open(const nets::LanguageModel& model) {
        save_model(model, folder.path());
        return open_local_teacher(folder.path(), options, token).value();
    }
    static Question question(std::string text) {
        return {.messages = {{.role = "user", .content = std::move(text)}}};
    }

    fakes::TempFolder folder;
    CancelSource cancel;
    CancelToken token = cancel.token();
    TeacherOptions options{.new_tokens_max = 4};
};

TEST_F(LocalTeacherTest, AQuestionThatIsTooLongIsToldSoAndTheOthersAreAnswered) {
    const auto teacher = open(tiny_model());
    // Digits are single tokens: of 64 positions one must be left for the answer.
    const std::vector<Question> questions{
        question(std::string(64, '1')), question("1"), question(std::string(63, '1'))
    };
    const auto answers = teacher->answer(questions).value();
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_THAT(answers[0].failure, HasSubstr("64 tokens"));
    EXPECT_FALSE(answers[0].complete);
    EXPECT_EQ(answers[0].completion_tokens, 0);
    EXPECT_EQ(answers[1].failure, "");
    EXPECT_EQ(answers[1].prompt_tokens, 1);
    EXPECT_EQ(answers[2].failure, "");
    EXPECT_EQ(answers[2].prompt_tokens, 63);
}

TEST_F(LocalTeacherTest, WhatThePaddedVocabularySaysHasNoTextAndIsNoError) {
    nets::LanguageModel model = tiny_model();
    models::ModelConfig config = model.decoder.config();
    config.vocab += 5000;
    model.decoder = nets::Decoder::create(config, 3).value();
    options.temperature = 2;
    const auto answers = open(model)->answer(std::vector{question("what")});
    ASSERT_TRUE(answers) << answers.error().to_string();
    EXPECT_THAT(answers->front().text, HasSubstr("\xEF\xBF\xBD"));
}

TEST_F(LocalTeacherTest, ItsIdentityIsTheDigestOfItsFiles) {
    nets::LanguageModel model = tiny_model();
    models::ModelConfig config = model.decoder.config();
    config.ffn = 2048;  // so that the weights are more than one piece of a megabyte
    config.layers = 4;
    model.decoder = nets::Decoder::create(config, 3).value();
    const std::string identity = open(model)->identity();
    Sha256 hash;
    for (const char* name : {"model.safetensors", "config.json", "tokenizer.json"}) {
        hash.update(read_file(folder.path() / name, 1 << 25).value());
    }
    EXPECT_GT(std::filesystem::file_size(folder.path() / "model.safetensors"), 1U << 20U);
    EXPECT_EQ(identity, hash.digest().hex());
    EXPECT_NE(open(tiny_model())->identity(), identity);
}

TEST_F(LocalTeacherTest, StopsWhenCancelled) {
    const auto teacher = open(tiny_model());
    cancel.cancel();
    EXPECT_EQ(teacher->answer(std::vector{question("what")}).error().code, ErrorCode::kCancelled);
}

TEST_F(LocalTeacherTest, ATokenizerOfAnotherModelIsRefused) {
    nets::LanguageModel model = tiny_model();
    models::ModelConfig config = model.decoder.config();
    config.vocab -= 1;
    model.decoder = nets::Decoder::create(config, 3).value();
    save_model(model, folder.path());
    const auto refused = open_local_teacher(folder.path(), options, token);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().advice, HasSubstr("tokenizer.json"));
}

}  // namespace
}  // namespace nexa::pipelines
