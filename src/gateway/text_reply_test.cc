// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_reply.h"

#include <gtest/gtest.h>

#include "core/value_node.h"

namespace nexa::gateway {
namespace {

ReplyHead head(TextKind kind, bool include_usage = false) {
    return {
        .kind = kind,
        .id = "id-1",
        .created = 1'700'000'000,
        .model = "my \"model\"",
        .fingerprint = "fp_1",
        .include_usage = include_usage,
    };
}

/// How every chat object and chunk begins, up to its choices.
std::string begin(std::string_view object) {
    return fmt::format(
        R"({{"id":"id-1","object":"{}","created":1700000000,"model":"my \"model\"",)"
        R"("system_fingerprint":"fp_1","choices":[)",
        object
    );
}

constexpr std::string_view kUsage =
    R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,)"
    R"("prompt_tokens_details":{"cached_tokens":0}})";
constexpr TokenUsage kUsed{.prompt_tokens = 3, .completion_tokens = 2};

TEST(TextReply, AWholeChatHasOneMessageAndItsUsage) {
    EXPECT_EQ(
        whole_reply(head(TextKind::kChat), "Hé\n", "stop", kUsed),
        begin("chat.completion") +
            R"({"index":0,"message":{"role":"assistant","content":"Hé\n","refusal":null},)"
            R"("logprobs":null,"finish_reason":"stop"}],)" +
            std::string(kUsage) + "}"
    );
}

TEST(TextReply, AWholeCompletionHasOneTextAndItsUsage) {
    EXPECT_EQ(
        whole_reply(head(TextKind::kCompletion), "x", "length", kUsed),
        begin("text_completion") +
            R"({"index":0,"text":"x","logprobs":null,"finish_reason":"length"}],)" +
            std::string(kUsage) + "}"
    );
}

TEST(TextReply, TheChunksOfAChatNameWhoSpeaksThenTheTextThenTheEnd) {
    const ReplyHead chat = head(TextKind::kChat);
    const std::string start = begin("chat.completion.chunk");
    EXPECT_EQ(
        role_chunk(chat),
        start + R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
                R"("finish_reason":null}]})"
    );
    EXPECT_EQ(
        text_chunk(chat, "a"),
        start + R"({"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null}]})"
    );
    EXPECT_EQ(
        finish_chunk(chat, "stop"),
        start + R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})"
    );
}

TEST(TextReply, TheChunksOfACompletionHoldText) {
    const ReplyHead completion = head(TextKind::kCompletion);
    const std::string start = begin("text_completion");
    EXPECT_EQ(
        text_chunk(completion, "a"),
        start + R"({"index":0,"text":"a","logprobs":null,"finish_reason":null}]})"
    );
    EXPECT_EQ(
        finish_chunk(completion, "length"),
        start + R"({"index":0,"text":"","logprobs":null,"finish_reason":"length"}]})"
    );
}

TEST(TextReply, WithUsageAskedForEveryChunkHasANullAndTheLastTheNumbers) {
    for (const TextKind kind : {TextKind::kChat, TextKind::kCompletion}) {
        const ReplyHead asked = head(kind, true);
        for (const std::string& chunk :
             {role_chunk(asked), text_chunk(asked, "a"), finish_chunk(asked, "stop")}) {
            EXPECT_TRUE(chunk.ends_with(R"(}],"usage":null})")) << chunk;
        }
        EXPECT_EQ(
            usage_chunk(asked, kUsed),
            begin(kind == TextKind::kChat ? "chat.completion.chunk" : "text_completion") + "]," +
                std::string(kUsage) + "}"
        );
    }
}

TEST(TextReply, AnyTextIsOneLineOfSoundJson) {
    const std::string odd("\n\r\"\\\0\x1f\u2028é😀", 16);
    for (const TextKind kind : {TextKind::kChat, TextKind::kCompletion}) {
        for (const std::string& text :
             {text_chunk(head(kind), odd), whole_reply(head(kind), odd, "stop", kUsed)}) {
            EXPECT_EQ(text.find_first_of("\r\n"), std::string::npos);
            const auto parsed = parse_json(text);
            ASSERT_TRUE(parsed) << parsed.error().to_string();
            const ValueNode& choice = parsed->find("choices")->items.at(0);
            const ValueNode* holder = choice.find("delta");
            holder = holder != nullptr ? holder : choice.find("message");
            const ValueNode* content =
                holder != nullptr ? holder->find("content") : choice.find("text");
            ASSERT_NE(content, nullptr);
            EXPECT_EQ(content->text, odd);
        }
    }
}

TEST(TextReply, AnErrorInsideAStreamIsInTheEnvelopeOfErrors) {
    EXPECT_EQ(
        error_chunk(Error::unavailable("the model's runner has gone: \"x\"")),
        R"({"error":{"message":"the model's runner has gone: \"x\"","type":"server_error",)"
        R"("param":null,"code":"unavailable"}})"
    );
}

TEST(TextReply, ModelsAreListedInOrder) {
    const ModelRow one{.id = "a/b", .created = 5, .owned_by = "nexa"};
    const std::string row = R"({"id":"a/b","object":"model","created":5,"owned_by":"nexa"})";
    EXPECT_EQ(model_reply(one), row);
    const std::vector<ModelRow> rows{one, {.id = "c", .created = 6, .owned_by = "prj_1"}};
    EXPECT_EQ(
        model_list_reply(rows),
        R"({"object":"list","data":[)" + row +
            R"(,{"id":"c","object":"model","created":6,"owned_by":"prj_1"}]})"
    );
    EXPECT_EQ(model_list_reply({}), R"({"object":"list","data":[]})");
}

}  // namespace
}  // namespace nexa::gateway
