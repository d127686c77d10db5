// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/text_request.h"
#include "net/http_types.h"

namespace nexa::gateway {

/// What every piece of one answer repeats.
struct ReplyHead {
    TextKind kind = TextKind::kChat;
    std::string id;  ///< "chatcmpl-…" or "cmpl-…"
    std::int64_t created = 0;
    std::string model;        ///< as the request named it
    std::string fingerprint;  ///< of the weights
    bool include_usage = false;
};

struct TokenUsage {
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;

    friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

/// A whole answer: chat.completion or text_completion.
std::string whole_reply(
    const ReplyHead& head,
    std::string_view text,
    std::string_view finish_reason,
    const TokenUsage& usage
);

// The pieces of a streamed one, as JSON: the data of server-sent events.

/// Who speaks; only a chat has it.
std::string role_chunk(const ReplyHead& head);
std::string text_chunk(const ReplyHead& head, std::string_view text);
std::string finish_chunk(const ReplyHead& head, std::string_view finish_reason);
/// With no choices; only for who asked for it.
std::string usage_chunk(const ReplyHead& head, const TokenUsage& usage);
/// The envelope of an error that came after the stream had begun.
std::string error_chunk(const Error& error);

inline constexpr std::string_view kStreamEnd = "[DONE]";

struct ModelRow {
    std::string id;
    std::int64_t created = 0;
    std::string owned_by;
};
std::string model_reply(const ModelRow& model);
std::string model_list_reply(std::span<const ModelRow> models);

}  // namespace nexa::gateway
