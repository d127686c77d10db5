// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_reply.h"

#include "core/json_writer.h"

namespace nexa::gateway {

namespace {

void write(JsonWriter& json, std::string_view name, std::string_view value) {
    json.key(name);
    json.string(value);
}

void write(JsonWriter& json, std::string_view name, std::int64_t value) {
    json.key(name);
    json.whole(value);
}

void write_null(JsonWriter& json, std::string_view name) {
    json.key(name);
    json.null();
}

void write_reason(JsonWriter& json, std::string_view finish_reason) {
    if (finish_reason.empty()) {
        write_null(json, "finish_reason");
    } else {
        write(json, "finish_reason", finish_reason);
    }
}

void begin(JsonWriter& json, const ReplyHead& head, std::string_view object) {
    json.begin_object();
    write(json, "id", head.id);
    write(json, "object", object);
    write(json, "created", head.created);
    write(json, "model", head.model);
    write(json, "system_fingerprint", head.fingerprint);
    json.key("choices");
    json.begin_array();
}

void write_usage(JsonWriter& json, const TokenUsage& usage) {
    json.key("usage");
    json.begin_object();
    write(json, "prompt_tokens", usage.prompt_tokens);
    write(json, "completion_tokens", usage.completion_tokens);
    write(json, "total_tokens", usage.prompt_tokens + usage.completion_tokens);
    json.key("prompt_tokens_details");
    json.begin_object();
    write(json, "cached_tokens", 0);
    json.end_object();
    json.end_object();
}

std::string_view chunk_object(TextKind kind) {
    return kind == TextKind::kChat ? "chat.completion.chunk" : "text_completion";
}

/// A chunk with one choice; `role` and `text` may be absent from a chat's.
struct Choice {
    bool has_role = false;
    bool has_text = false;
    std::string_view text;
    std::string_view finish_reason;
};

std::string chunk(const ReplyHead& head, const Choice& choice) {
    JsonWriter json;
    begin(json, head, chunk_object(head.kind));
    json.begin_object();
    write(json, "index", 0);
    if (head.kind == TextKind::kCompletion) {
        write(json, "text", choice.text);
    } else {
        json.key("delta");
        json.begin_object();
        if (choice.has_role) {
            write(json, "role", "assistant");
        }
        if (choice.has_text) {
            write(json, "content", choice.text);
        }
        json.end_object();
    }
    write_null(json, "logprobs");
    write_reason(json, choice.finish_reason);
    json.end_object();
    json.end_array();
    if (head.include_usage) {
        write_null(json, "usage");
    }
    json.end_object();
    return json.take();
}

void write_model(JsonWriter& json, const ModelRow& model) {
    json.begin_object();
    write(json, "id", model.id);
    write(json, "object", "model");
    write(json, "created", model.created);
    write(json, "owned_by", model.owned_by);
    json.end_object();
}

}  // namespace

std::string whole_reply(
    const ReplyHead& head,
    std::string_view text,
    std::string_view finish_reason,
    const TokenUsage& usage
) {
    JsonWriter json;
    begin(json, head, head.kind == TextKind::kChat ? "chat.completion" : "text_completion");
    json.begin_object();
    write(json, "index", 0);
    if (head.kind == TextKind::kCompletion) {
        write(json, "text", text);
    } else {
        json.key("message");
        json.begin_object();
        write(json, "role", "assistant");
        write(json, "content", text);
        write_null(json, "refusal");
        json.end_object();
    }
    write_null(json, "logprobs");
    write_reason(json, finish_reason);
    json.end_object();
    json.end_array();
    write_usage(json, usage);
    json.end_object();
    return json.take();
}

std::string role_chunk(const ReplyHead& head) {
    return chunk(head, {.has_role = true, .has_text = true});
}

std::string text_chunk(const ReplyHead& head, std::string_view text) {
    return chunk(head, {.has_text = true, .text = text});
}

std::string finish_chunk(const ReplyHead& head, std::string_view finish_reason) {
    return chunk(head, {.finish_reason = finish_reason});
}

std::string usage_chunk(const ReplyHead& head, const TokenUsage& usage) {
    JsonWriter json;
    begin(json, head, chunk_object(head.kind));
    json.end_array();
    write_usage(json, usage);
    json.end_object();
    return json.take();
}

std::string error_chunk(const Error& error) {
    JsonWriter json;
    json.begin_object();
    json.key("error");
    json.begin_object();
    write(json, "message", error.message);
    write(json, "type", "server_error");
    write_null(json, "param");
    write(json, "code", to_string(error.code));
    json.end_object();
    json.end_object();
    return json.take();
}

std::string model_reply(const ModelRow& model) {
    JsonWriter json;
    write_model(json, model);
    return json.take();
}

std::string model_list_reply(std::span<const ModelRow> models) {
    JsonWriter json;
    json.begin_object();
    write(json, "object", "list");
    json.key("data");
    json.begin_array();
    for (const ModelRow& model : models) {
        write_model(json, model);
    }
    json.end_array();
    json.end_object();
    return json.take();
}

}  // namespace nexa::gateway
