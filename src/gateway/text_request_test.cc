// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_request.h"

#include <gmock/gmock.h>

namespace nexa::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kSeed = 7;
constexpr TextKind kChat = TextKind::kChat;
constexpr TextKind kCompletion = TextKind::kCompletion;
using Parsed = std::expected<TextRequest, net::HttpError>;

std::string with(std::string_view object, std::string_view more) {
    std::string text(object.substr(0, object.size() - 1));
    return fmt::format("{}{}{}}}", text, more.empty() ? "" : ",", more);
}

/// A sound body of the kind with `more` fields.
std::string body(TextKind kind, std::string_view more = "") {
    return with(
        kind == kChat ? R"({"model":"m","messages":[{"role":"user","content":"hi"}]})"
                      : R"({"model":"m","prompt":"hi"})",
        more
    );
}

Parsed parse(TextKind kind, std::string_view more = "") {
    return parse_text_request(kind, body(kind, more), kSeed);
}

/// "param code", or "" if it is taken.
std::string refusal_of(const Parsed& parsed) {
    if (parsed) {
        return "";
    }
    EXPECT_EQ(parsed.error().status, 400);
    EXPECT_FALSE(parsed.error().error.message.empty());
    return fmt::format("{} {}", parsed.error().error.param, parsed.error().openai_code);
}

std::string refusal_of(TextKind kind, std::string_view more) {
    return refusal_of(parse(kind, more));
}

std::string refusal_of_messages(std::string_view messages) {
    const std::string text = fmt::format(R"({{"model":"m","messages":{}}})", messages);
    return refusal_of(parse_text_request(kChat, text, kSeed));
}

TEST(TextRequest, ABareChatAsksForOneAnswerToTheEndOfTheContext) {
    const Parsed parsed = parse(kChat);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, kChat);
    EXPECT_EQ(parsed->model, "m");
    EXPECT_FALSE(parsed->stream);
    EXPECT_FALSE(parsed->include_usage);
    const protocol::GenerateRequest wanted{
        .messages = {{.role = "user", .content = "hi"}},
        .max_new_tokens = {},
        .temperature = 1.0,
        .top_p = 1.0,
        .seed = kSeed,
    };
    EXPECT_EQ(parsed->generate, wanted);
}

TEST(TextRequest, ABareCompletionAsksForSixteenTokens) {
    const Parsed parsed = parse(kCompletion);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->kind, kCompletion);
    const protocol::GenerateRequest wanted{
        .prompt = "hi", .max_new_tokens = 16, .temperature = 1.0, .top_p = 1.0, .seed = kSeed
    };
    EXPECT_EQ(parsed->generate, wanted);
}

TEST(TextRequest, EveryFieldThatCountsIsRead) {
    for (const TextKind kind : {kChat, kCompletion}) {
        const Parsed parsed = parse(
            kind,
            R"("temperature":0.25,"top_p":0.5,"seed":-3,"max_tokens":9,"stop":["a","b"],"stream":true,)"
            R"("stream_options":{"include_usage":true,"include_obfuscation":false})"
        );
        ASSERT_TRUE(parsed) << refusal_of(parsed);
        EXPECT_EQ(parsed->generate.temperature, 0.25);
        EXPECT_EQ(parsed->generate.top_p, 0.5);
        EXPECT_EQ(parsed->generate.seed, UINT64_MAX - 2);
        EXPECT_EQ(parsed->generate.max_new_tokens, 9);
        EXPECT_THAT(parsed->generate.stop, ElementsAre("a", "b"));
        EXPECT_TRUE(parsed->stream);
        EXPECT_TRUE(parsed->include_usage);
    }
}

TEST(TextRequest, WhatIsTakenIsTakenByARunnerAndReadTheSame) {
    for (const TextKind kind : {kChat, kCompletion}) {
        for (const char* more :
             {"",
              R"("temperature":2,"top_p":1,"seed":-1,"stop":["a","b","c","\u0001"])",
              R"("temperature":0.1,"top_p":0,"max_tokens":9223372036854775807,"stop":"\u2028")"}) {
            Parsed parsed = parse(kind, more);
            ASSERT_TRUE(parsed) << refusal_of(parsed);
            parsed->generate.id = "g1";
            const auto back = protocol::read_ask(protocol::to_frame(parsed->generate));
            ASSERT_TRUE(back) << back.error().to_string();
            EXPECT_EQ(*back, protocol::RunnerAsk(parsed->generate));
        }
    }
}

TEST(TextRequest, NullCountsAsAbsent) {
    const Parsed parsed = parse(
        kChat,
        R"("temperature":null,"top_p":null,"seed":null,"max_tokens":null,"stop":null,"stream":null,)"
        R"("stream_options":null,"tools":null,"logprobs":null,"n":null,"response_format":null)"
    );
    ASSERT_TRUE(parsed) << refusal_of(parsed);
    EXPECT_EQ(parsed->generate, parse(kChat)->generate);
}

TEST(TextRequest, LimitsAreTakenAndWhatIsBeyondIsNot) {
    for (const char* good :
         {R"("temperature":0)",
          R"("temperature":2)",
          R"("top_p":0)",
          R"("top_p":1.0)",
          R"("max_tokens":1)",
          R"("max_tokens":9223372036854775807)",
          R"("max_tokens":16.0)",
          R"("max_tokens":1e2)",
          R"("seed":9223372036854775807)",
          R"("seed":-9223372036854775808)"}) {
        EXPECT_EQ(refusal_of(kCompletion, good), "") << good;
    }
    const std::pair<const char*, const char*> bad[] = {
        {R"("temperature":-0.01)", "temperature decimal_below_min_value"},
        {R"("temperature":2.01)", "temperature decimal_above_max_value"},
        {R"("temperature":1e999)", "temperature invalid_type"},
        {R"("top_p":-1)", "top_p decimal_below_min_value"},
        {R"("top_p":1.001)", "top_p decimal_above_max_value"},
        {R"("max_tokens":0)", "max_tokens integer_below_min_value"},
        {R"("max_tokens":-5)", "max_tokens integer_below_min_value"},
        {R"("max_tokens":1.5)", "max_tokens invalid_type"},
        {R"("max_tokens":9223372036854775808)", "max_tokens invalid_type"},
        {R"("seed":0.5)", "seed invalid_type"},
    };
    for (const auto& [more, refusal] : bad) {
        EXPECT_EQ(refusal_of(kCompletion, more), refusal) << more;
        EXPECT_EQ(refusal_of(kChat, more), refusal) << more;
    }
}

TEST(TextRequest, AWrongTypeIsRefusedByName) {
    for (const char* name : {"temperature", "top_p", "max_tokens", "seed"}) {
        for (const char* value : {R"("1")", "true", "[]", "{}"}) {
            EXPECT_EQ(
                refusal_of(kChat, fmt::format(R"("{}":{})", name, value)),
                fmt::format("{} invalid_type", name)
            );
        }
    }
    for (const char* value : {R"("true")", "1", "[]", "{}"}) {
        EXPECT_EQ(refusal_of(kChat, fmt::format(R"("stream":{})", value)), "stream invalid_type");
    }
    for (const char* value : {"1", "true", "[]", "{}"}) {
        const std::string text = fmt::format(R"({{"model":{},"prompt":""}})", value);
        EXPECT_EQ(refusal_of(parse_text_request(kCompletion, text, kSeed)), "model invalid_type");
    }
}

TEST(TextRequest, TheModelMustBeNamed) {
    const auto refusal = [](std::string_view text) {
        return refusal_of(parse_text_request(kCompletion, text, kSeed));
    };
    EXPECT_EQ(refusal("{}"), "model missing_required_parameter");
    EXPECT_EQ(refusal(R"({"model":null})"), "model missing_required_parameter");
    EXPECT_EQ(refusal(R"({"model":""})"), "model invalid_value");
    EXPECT_EQ(refusal(fmt::format(R"({{"model":"{}"}})", std::string(256, 'x'))), "");
    EXPECT_EQ(
        refusal(fmt::format(R"({{"model":"{}"}})", std::string(257, 'x'))), "model invalid_value"
    );
}

// --- stop ---

TEST(TextRequest, StopIsOneTextOrUpToFour) {
    EXPECT_THAT(parse(kChat, R"("stop":"\n\n")")->generate.stop, ElementsAre("\n\n"));
    EXPECT_THAT(parse(kChat, R"("stop":[])")->generate.stop, IsEmpty());
    EXPECT_THAT(
        parse(kChat, R"("stop":["a","b","c","é"])")->generate.stop, ElementsAre("a", "b", "c", "é")
    );
    EXPECT_EQ(refusal_of(kChat, R"("stop":["a","b","c","d","e"])"), "stop array_above_max_length");
    EXPECT_EQ(refusal_of(kChat, R"("stop":"")"), "stop invalid_value");
    EXPECT_EQ(refusal_of(kChat, R"("stop":["a",""])"), "stop invalid_value");
    EXPECT_EQ(refusal_of(kChat, R"("stop":1)"), "stop invalid_type");
    EXPECT_EQ(refusal_of(kChat, R"("stop":{"a":"b"})"), "stop invalid_type");
    EXPECT_EQ(refusal_of(kChat, R"("stop":["a",null])"), "stop invalid_type");
    const auto long_stop = [](std::size_t bytes) {
        return refusal_of(kChat, fmt::format(R"("stop":"{}")", std::string(bytes, 'x')));
    };
    EXPECT_EQ(long_stop(1024), "");
    EXPECT_EQ(long_stop(1025), "stop invalid_value");
}

// --- how long ---

TEST(TextRequest, BothNamesOfTheLengthAreTakenInChatsButNotTogether) {
    EXPECT_EQ(parse(kChat, R"("max_tokens":3)")->generate.max_new_tokens, 3);
    EXPECT_EQ(parse(kChat, R"("max_completion_tokens":4)")->generate.max_new_tokens, 4);
    EXPECT_EQ(
        refusal_of(kChat, R"("max_tokens":3,"max_completion_tokens":3)"), "max_tokens invalid_value"
    );
    EXPECT_EQ(
        refusal_of(kCompletion, R"("max_completion_tokens":4)"),
        "max_completion_tokens unknown_parameter"
    );
}

// --- streaming ---

TEST(TextRequest, StreamOptionsNeedAStream) {
    EXPECT_EQ(
        refusal_of(kChat, R"("stream_options":{"include_usage":true})"),
        "stream_options invalid_value"
    );
    EXPECT_EQ(
        refusal_of(kChat, R"("stream":false,"stream_options":{})"), "stream_options invalid_value"
    );
    EXPECT_EQ(
        refusal_of(kChat, R"("stream":true,"stream_options":[])"), "stream_options invalid_value"
    );
    EXPECT_EQ(
        refusal_of(kChat, R"("stream":true,"stream_options":{"include_usage":1})"),
        "stream_options.include_usage invalid_type"
    );
    EXPECT_EQ(
        refusal_of(kChat, R"("stream":true,"stream_options":{"usage":true})"),
        "stream_options.usage unknown_parameter"
    );
    EXPECT_FALSE(parse(kChat, R"("stream":true,"stream_options":{})")->include_usage);
}

// --- what is not supported ---

TEST(TextRequest, WhatIsNotSupportedIsTakenOnlyWhereItChangesNothing) {
    struct Row {
        std::string_view name;
        std::vector<std::string_view> taken;
        std::vector<std::string_view> refused;
    };
    const std::vector<Row> both{
        {"n", {"1", "1.0"}, {"0", "2", R"("1")", "true"}},
        {"logprobs", {"false"}, {"true", "0", "1"}},
        {"logit_bias", {"{}"}, {R"({"50":1})", "1"}},
        {"presence_penalty", {"0", "0.0", "-0.0", "0e0"}, {"0.1", "-1", R"("0")"}},
        {"frequency_penalty", {"0", "0.0", "-0.0"}, {"0.1", "-1"}},
        {"top_k", {"0"}, {"1", "-1"}},
        {"min_p", {"0"}, {"0.1"}},
    };
    const std::vector<Row> chats{
        {"top_logprobs", {"0"}, {"1"}},
        {"tools", {"[]"}, {R"([{"type":"function"}])", "true"}},
        {"tool_choice", {R"("auto")", R"("none")"}, {R"("required")", R"({"type":"function"})"}},
        {"functions", {"[]"}, {R"([{"name":"f"}])"}},
        {"function_call", {R"("auto")", R"("none")"}, {R"({"name":"f"})"}},
        {"audio", {"{}"}, {R"({"voice":"ash"})"}},
        {"web_search_options", {}, {"{}"}},
        {"reasoning_effort", {R"("none")"}, {R"("high")"}},
        {"response_format",
         {R"({"type":"text"})"},
         {R"({"type":"json_object"})", "{}", R"("text")", R"({"type":1})"}},
        {"modalities",
         {R"(["text"])", "[]"},
         {R"(["text","audio"])", R"("audio")", R"({"a":"text"})"}},
    };
    const std::vector<Row> completions{
        {"best_of", {"1"}, {"2", "0"}},
        {"echo", {"false"}, {"true", "0"}},
        {"suffix", {R"("")"}, {R"("end")"}},
    };
    const auto check = [](TextKind kind, const std::vector<Row>& rows) {
        for (const Row& row : rows) {
            for (const std::string_view value : row.taken) {
                const std::string more = fmt::format(R"("{}":{})", row.name, value);
                EXPECT_EQ(refusal_of(kind, more), "") << more;
            }
            for (const std::string_view value : row.refused) {
                const std::string more = fmt::format(R"("{}":{})", row.name, value);
                EXPECT_EQ(refusal_of(kind, more), fmt::format("{} unsupported_parameter", row.name))
                    << more;
            }
        }
    };
    check(kChat, both);
    check(kCompletion, both);
    check(kChat, chats);
    check(kCompletion, completions);
    for (const Row& row : completions) {
        const std::string more = fmt::format(R"("{}":{})", row.name, row.taken.front());
        EXPECT_EQ(refusal_of(kChat, more), fmt::format("{} unknown_parameter", row.name));
    }
}

TEST(TextRequest, WhatChangesNothingIsPassedOver) {
    EXPECT_EQ(
        refusal_of(
            kChat,
            R"("user":"u","store":true,"metadata":{"a":"b"},"service_tier":"flex",)"
            R"("parallel_tool_calls":false,"prompt_cache_key":"k","safety_identifier":"s",)"
            R"("prediction":{"type":"content","content":"x"},"verbosity":"low")"
        ),
        ""
    );
}

TEST(TextRequest, AnUnknownFieldIsRefusedWithTheNearName) {
    const Parsed parsed = parse(kChat, R"("temperatur":1)");
    EXPECT_EQ(refusal_of(parsed), "temperatur unknown_parameter");
    EXPECT_THAT(parsed.error().error.advice, HasSubstr("temperature"));
    const Parsed far = parse(kChat, R"("zzzzzzzz":1)");
    EXPECT_EQ(refusal_of(far), "zzzzzzzz unknown_parameter");
    EXPECT_EQ(far.error().error.advice, "");
    EXPECT_EQ(refusal_of(kCompletion, R"("messages":[])"), "messages unknown_parameter");
    EXPECT_EQ(refusal_of(kChat, R"("prompt":"x")"), "prompt unknown_parameter");
}

// --- messages ---

TEST(TextRequest, RolesAndPartsBecomePlainMessages) {
    const std::string text = R"({"model":"m","messages":[
        {"role":"system","content":"s"},
        {"role":"developer","content":"d","name":"n"},
        {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"assistant","content":"","refusal":null,"tool_calls":[],"annotations":[]},
        {"role":"tool","content":"t","tool_call_id":"1"}]})";
    const Parsed parsed = parse_text_request(kChat, text, kSeed);
    ASSERT_TRUE(parsed) << refusal_of(parsed);
    using Message = protocol::RunnerMessage;
    EXPECT_THAT(
        parsed->generate.messages,
        ElementsAre(
            Message{"system", "s"},
            Message{"system", "d"},
            Message{"user", "ab"},
            Message{"assistant", ""},
            Message{"tool", "t"}
        )
    );
    EXPECT_FALSE(parsed->generate.prompt);
}

TEST(TextRequest, AWrongMessageIsRefusedWithItsPlace) {
    const std::pair<const char*, const char*> rows[] = {
        {"[]", "messages empty_array"},
        {R"("hi")", "messages invalid_type"},
        {"{}", "messages invalid_type"},
        {"null", "messages missing_required_parameter"},
        {R"(["hi"])", "messages[0] invalid_type"},
        {"[null]", "messages[0] invalid_type"},
        {"[{}]", "messages[0].role missing_required_parameter"},
        {R"([{"role":1,"content":""}])", "messages[0].role invalid_type"},
        {R"([{"role":"User","content":""}])", "messages[0].role invalid_value"},
        {R"([{"role":"user"}])", "messages[0].content missing_required_parameter"},
        {R"([{"role":"user","content":null}])", "messages[0].content missing_required_parameter"},
        {R"([{"role":"user","content":5}])", "messages[0].content invalid_type"},
        {R"([{"role":"user","content":{"type":"text","text":"x"}}])",
         "messages[0].content invalid_type"},
        {R"([{"role":"user","content":["x"]}])", "messages[0].content[0].type unsupported_parameter"
        },
        {R"([{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url"}]}])",
         "messages[0].content[1].type unsupported_parameter"},
        {R"([{"role":"user","content":[{"type":"text"}]}])",
         "messages[0].content[0].text invalid_type"},
        {R"([{"role":"user","content":[{"type":"text","text":1}]}])",
         "messages[0].content[0].text invalid_type"},
        {R"([{"role":"user","content":"x"},{"role":"user","content":"x","contents":1}])",
         "messages[1].contents unknown_parameter"},
        {R"([{"role":"assistant","content":"x","tool_calls":[{"id":"1"}]}])",
         "messages[0].tool_calls unsupported_parameter"},
        {R"([{"role":"assistant","content":"x","function_call":{"name":"f"}}])",
         "messages[0].function_call unsupported_parameter"},
    };
    for (const auto& [messages, refusal] : rows) {
        EXPECT_EQ(refusal_of_messages(messages), refusal) << messages;
    }
}

TEST(TextRequest, TheFirstOfSeveralWrongThingsIsNamed) {
    EXPECT_EQ(
        refusal_of_messages(R"([{"role":"user","content":1},{"role":"nobody","content":1}])"),
        "messages[0].content invalid_type"
    );
}

TEST(TextRequest, UpTo4096MessagesAreTaken) {
    const auto many = [](int count) {
        std::string text = "[";
        for (int i = 0; i < count; ++i) {
            text += R"({"role":"user","content":"x"},)";
        }
        text.back() = ']';
        return refusal_of_messages(text);
    };
    EXPECT_EQ(many(4096), "");
    EXPECT_EQ(many(4097), "messages array_above_max_length");
}

// --- prompts ---

TEST(TextRequest, APromptIsOneTextAloneOrInAnArray) {
    const auto prompt = [](std::string_view value) {
        const std::string text = fmt::format(R"({{"model":"m","prompt":{}}})", value);
        const Parsed parsed = parse_text_request(kCompletion, text, kSeed);
        return parsed ? parsed->generate.prompt.value_or("nothing") : refusal_of(parsed);
    };
    EXPECT_EQ(prompt(R"("x")"), "x");
    EXPECT_EQ(prompt(R"(["x"])"), "x");
    EXPECT_EQ(prompt(R"("")"), "");
    EXPECT_EQ(prompt("null"), "");
    for (const char* several : {R"(["x","y"])", "[1,2]", "[[1]]", "[]", "5", "{}", "true"}) {
        EXPECT_EQ(prompt(several), "prompt unsupported_value") << several;
    }
    const Parsed absent = parse_text_request(kCompletion, R"({"model":"m"})", kSeed);
    EXPECT_EQ(absent->generate.prompt, "");
}

// --- bodies ---

TEST(TextRequest, UnicodeComesThroughAndWhatIsNoneIsRefused) {
    const Parsed parsed = parse_text_request(
        kCompletion, R"({"model":"m","prompt":"é€😀\ud83d\ude00\u0000\u2028"})", kSeed
    );
    ASSERT_TRUE(parsed) << refusal_of(parsed);
    EXPECT_EQ(parsed->generate.prompt, std::string("é€😀😀\0\u2028", 17));
    for (const char* bad : {
             "{\"model\":\"m\",\"prompt\":\"\xff\"}",
             "{\"model\":\"m\",\"prompt\":\"\xed\xa0\x80\"}",
             R"({"model":"m","prompt":"\ud83d"})",
         }) {
        const Parsed refused = parse_text_request(kCompletion, bad, kSeed);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().openai_code, "invalid_json");
    }
}

TEST(TextRequest, WhatIsNoObjectOfJsonIsRefused) {
    const std::string deep = std::string(100'000, '[');
    const std::string nested =
        body(kChat, fmt::format(R"("metadata":{}{})", std::string(65, '['), std::string(65, ']')));
    for (const std::string_view text :
         {std::string_view(""),
          std::string_view(" "),
          std::string_view("{"),
          std::string_view("[]"),
          std::string_view("null"),
          std::string_view(R"("text")"),
          std::string_view("{'model':'m'}"),
          std::string_view(R"({"model":"m","model":"m"})"),
          std::string_view(R"({"model":"m"} {})"),
          std::string_view(deep),
          std::string_view(nested)}) {
        for (const TextKind kind : {kChat, kCompletion}) {
            const Parsed parsed = parse_text_request(kind, text, kSeed);
            ASSERT_FALSE(parsed) << text.substr(0, 100);
            EXPECT_EQ(parsed.error().status, 400);
            EXPECT_EQ(parsed.error().openai_code, "invalid_json");
        }
    }
}

}  // namespace
}  // namespace nexa::gateway
