// SPDX-License-Identifier: Apache-2.0
#include "cli/chat_client.h"

#include <utility>

#include "core/json.h"
#include "core/json_writer.h"
#include "core/value_node.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace nexa::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds kSilenceMax{120};

std::string body_of(const ChatQuestion& question) {
    JsonWriter writer;
    writer.begin_object();
    writer.key("model");
    writer.string(question.model);
    writer.key("stream");
    writer.boolean(true);
    if (question.max_tokens) {
        writer.key("max_tokens");
        writer.whole(*question.max_tokens);
    }
    if (question.temperature) {
        writer.key("temperature");
        writer.real(*question.temperature);
    }
    if (question.seed) {
        writer.key("seed");
        writer.whole(*question.seed);
    }
    writer.key("messages");
    writer.begin_array();
    for (const ChatMessage& message : question.messages) {
        writer.begin_object();
        writer.key("role");
        writer.string(message.role);
        writer.key("content");
        writer.string(message.content);
        writer.end_object();
    }
    writer.end_array();
    writer.end_object();
    return writer.take();
}

/// choices[0].delta.content of a chunk. Errors: what the gateway says went wrong meanwhile.
Result<std::string> text_of(std::string_view chunk) {
    TRY(const ValueNode root, parse_json(chunk));
    if (const ValueNode* error = root.find("error")) {
        const ValueNode* message = error->find("message");
        return Error::unavailable(
            "the answer broke off: {}", message != nullptr ? message->text : "no reason given"
        );
    }
    const ValueNode* choices = root.find("choices");
    if (choices == nullptr || choices->items.empty()) {
        return std::string();  // the chunk with the usage
    }
    const ValueNode* delta = choices->items.front().find("delta");
    const ValueNode* content = delta != nullptr ? delta->find("content") : nullptr;
    return content != nullptr ? content->text : std::string();
}

}  // namespace

Result<std::string> stream_answer(
    Session& session,
    const ChatQuestion& question,
    const std::function<void(std::string_view)>& on_text
) {
    CliContext& context = session.context();
    net::blocking::HttpClient client(
        {}, RetryTools{.clock = context.clock, .random = context.random, .sleeper = context.sleeper}
    );
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = question.base_url + "/chat/completions",
        .headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}},
        .body = body_of(question),
        .total_time_max = 0ms,
        .idle_time_max = kSilenceMax,
        .retry = net::RetryWhen::kNever,
    };
    if (!question.key.empty()) {
        request.headers.add("Authorization", "Bearer " + question.key);
    }
    net::SseReader reader;
    std::string answer;
    const auto take = [&](std::string_view bytes) -> Status {
        TRY(const auto events, reader.feed(bytes));
        for (const net::SseEvent& event : events) {
            if (event.data == "[DONE]") {
                continue;
            }
            TRY(const std::string text, text_of(event.data));
            answer += text;
            on_text(text);
        }
        return {};
    };
    TRY(const net::HttpResponse reply, client.send(request, take));
    if (!reply.is_success()) {
        return net::to_error(reply);
    }
    return answer;
}

}  // namespace nexa::cli
