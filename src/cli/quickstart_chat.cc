// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_chat.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/json.h"
#include "core/json_writer.h"
#include "core/utf8.h"
#include "core/value_node.h"
#include "net/http_client.h"
#include "net/url.h"

namespace nexa::cli {

namespace {

constexpr std::size_t kTurns = 3;
constexpr int kAnswerTokens = 64;
constexpr int kBadRequest = 400;
constexpr std::uint64_t kItemsBytesMax = std::uint64_t{256} << 20U;

/// The prompts of the first items of an evaluation that had room for an answer.
Result<std::vector<std::string>> held_out_prompts(Session& session, const std::string& eval_id) {
    TRY(ApiClient* const api, session.api());
    TRY(const net::HttpResponse reply,
        api->send({
            .url = fmt::format("/artifacts/{}/files/items.jsonl", net::percent_encode(eval_id)),
            .body_bytes_max = kItemsBytesMax,
        }));
    std::vector<std::string> prompts;
    for (std::size_t at = 0; at < reply.body.size() && prompts.size() < kTurns;) {
        const std::size_t end = std::min(reply.body.find('\n', at), reply.body.size());
        TRY(const ValueNode item, parse_json(std::string_view(reply.body).substr(at, end - at)));
        const ValueNode* prompt = item.find("prompt");
        const ValueNode* finish = item.find("finish");
        const bool has_room = finish == nullptr || finish->text != "question_too_long";
        if (prompt != nullptr && !prompt->text.empty() && has_room) {
            prompts.push_back(prompt->text);
        }
        at = end + 1;
    }
    return prompts;
}

std::string body_of(const ChatWish& wish, const std::string& prompt) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("model");
    writer.string(wish.model);
    writer.key("max_tokens");
    writer.whole(kAnswerTokens);
    writer.key("temperature");
    writer.whole(0);
    if (wish.lesson == Lesson::kText) {
        writer.key("prompt");
        writer.string(prompt);
    } else {
        writer.key("messages");
        writer.begin_array();
        writer.begin_object();
        writer.key("role");
        writer.string("user");
        writer.key("content");
        writer.string(prompt);
        writer.end_object();
        writer.end_array();
    }
    writer.end_object();
    return writer.take();
}

/// choices[0].message.content, or choices[0].text.
Result<std::string> answer_in(std::string_view body) {
    const auto reply = parse_json(body);
    const ValueNode* choices = reply ? reply->find("choices") : nullptr;
    if (choices != nullptr && !choices->items.empty()) {
        const ValueNode& choice = choices->items.front();
        const ValueNode* message = choice.find("message");
        const ValueNode* text = message != nullptr ? message->find("content") : choice.find("text");
        if (text != nullptr) {
            return text->text;
        }
    }
    return Error::unavailable("cannot understand the gateway's answer: {}", quotable(body, 200));
}

}  // namespace

Result<std::vector<ChatTurn>> chat_three_times(Session& session, const ChatWish& wish) {
    const bool is_text = wish.lesson == Lesson::kText;
    TRY(std::vector<std::string> prompts, held_out_prompts(session, wish.eval_id));
    CliContext& context = session.context();
    net::blocking::HttpClient client(
        {}, RetryTools{.clock = context.clock, .random = context.random, .sleeper = context.sleeper}
    );
    std::vector<ChatTurn> turns;
    for (std::string& prompt : prompts) {
        TRY(const net::HttpResponse reply,
            client.send({
                .method = net::Method::kPost,
                .url = fmt::format(
                    "{}/v1/{}", wish.gateway_url, is_text ? "completions" : "chat/completions"
                ),
                .headers =
                    {{"Content-Type", "application/json"},
                     {"Authorization", "Bearer " + context.variable("NEXA_API_KEY")}},
                .body = body_of(wish, prompt),
                .retry = net::RetryWhen::kAlways,
            }));
        if (reply.status == kBadRequest) {
            turns.push_back({.prompt = std::move(prompt), .answer = net::to_error(reply).message});
            continue;
        }
        if (!reply.is_success()) {
            return net::to_error(reply);
        }
        TRY(std::string answer, answer_in(reply.body));
        turns.push_back({.prompt = std::move(prompt), .answer = std::move(answer)});
    }
    return turns;
}

}  // namespace nexa::cli
