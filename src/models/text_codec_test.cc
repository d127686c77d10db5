// SPDX-License-Identifier: Apache-2.0
#include "models/text_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "text/bpe_trainer.h"

namespace nexa::models {
namespace {

using text::ChatFormat;

text::BpeTokenizer tokenizer_with(std::vector<std::string> special_tokens) {
    const std::vector<std::string_view> texts{"12+30=42", "the sum of two numbers"};
    return text::train_bpe(
               texts, {.vocabulary_size = 300, .special_tokens = std::move(special_tokens)}
    )
        .value();
}

class TextCodecFiles : public ::testing::Test {
protected:
    TemporaryDirectory folder =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
};

TEST_F(TextCodecFiles, BothFormatsComeBackAsTheyWereSaved) {
    for (const ChatFormat format : {ChatFormat::kChatMl, ChatFormat::kPlain}) {
        const auto codec =
            TextCodec::create(format, tokenizer_with(text::special_tokens_of(format)));
        ASSERT_TRUE(codec);
        ASSERT_TRUE(codec->save(folder.path()));
        const auto loaded = TextCodec::load(folder.path());
        ASSERT_TRUE(loaded) << loaded.error().to_string();
        EXPECT_EQ(loaded->chat().format(), format);
        EXPECT_EQ(loaded->tokenizer().vocabulary(), codec->tokenizer().vocabulary());
        EXPECT_EQ(loaded->end_id(), codec->end_id());
    }
}

TEST_F(TextCodecFiles, AForeignTemplateLeavesTheFormatToTheSpecialTokens) {
    const auto codec = TextCodec::create(
        ChatFormat::kChatMl, tokenizer_with(text::special_tokens_of(ChatFormat::kChatMl))
    );
    ASSERT_TRUE(codec->save(folder.path()));
    ASSERT_TRUE(write_file_atomically(
        folder.path() / "tokenizer_config.json", R"({"chat_template": "{{ bos_token }}"})"
    ));
    EXPECT_EQ(TextCodec::load(folder.path())->chat().format(), ChatFormat::kChatMl);
    std::filesystem::remove(folder.path() / "tokenizer_config.json");
    EXPECT_EQ(TextCodec::load(folder.path())->chat().format(), ChatFormat::kChatMl);
}

TEST_F(TextCodecFiles, WhatIsMissingOrBrokenIsNamed) {
    EXPECT_EQ(TextCodec::load(folder.path()).error().code, ErrorCode::kNotFound);
    ASSERT_TRUE(write_file_atomically(folder.path() / "tokenizer.json", "{}"));
    EXPECT_THAT(
        TextCodec::load(folder.path()).error().to_string(), ::testing::HasSubstr("tokenizer.json")
    );
    const auto codec = TextCodec::create(
        ChatFormat::kPlain, tokenizer_with(text::special_tokens_of(ChatFormat::kPlain))
    );
    ASSERT_TRUE(codec->save(folder.path()));
    ASSERT_TRUE(write_file_atomically(folder.path() / "tokenizer_config.json", "[1"));
    EXPECT_THAT(
        TextCodec::load(folder.path()).error().to_string(),
        ::testing::HasSubstr("tokenizer_config.json")
    );
}

TEST(TextCodec, AnAnswerIsReadWithoutItsEnd) {
    const auto codec = TextCodec::create(
        ChatFormat::kPlain, tokenizer_with(text::special_tokens_of(ChatFormat::kPlain))
    );
    const auto asked = codec->encode_question(std::vector<text::ChatMessage>{{"user", "12+30="}});
    ASSERT_TRUE(asked);
    EXPECT_EQ(codec->decode(*asked).value(), "12+30=");
    auto answer = codec->tokenizer().encode("42");
    answer.push_back(codec->end_id());
    EXPECT_EQ(codec->decode(answer).value(), "42");
    EXPECT_EQ(
        codec->decode(std::vector<std::int32_t>{100'000}).error().code, ErrorCode::kInvalidArgument
    );
}

TEST(TextCodec, ATokenizerWithoutTheFormatsTokensIsRefused) {
    EXPECT_EQ(
        TextCodec::create(
            ChatFormat::kChatMl, tokenizer_with(text::special_tokens_of(ChatFormat::kPlain))
        )
            .error()
            .code,
        ErrorCode::kInvalidArgument
    );
}

}  // namespace
}  // namespace nexa::models
