// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/bpe_tokenizer.h"

namespace nexa::text {

struct ChatMessage {
    std::string role;  ///< "system", "user", "assistant" or "tool"
    std::string content;

    friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};

enum class ChatFormat : std::uint8_t {
    /// "<|im_start|>role\ncontent<|im_end|>\n" for each message.
    kChatMl,
    /// The contents in a row, each answer followed by "<|endoftext|>": for prompts that are whole
    /// in themselves, such as "12+30=".
    kPlain,
};

/// What ends after the last message.
enum class ChatEnding : std::uint8_t {
    kComplete,   ///< the conversation as it is: to train on
    kAskAnswer,  ///< the start of an assistant's turn: to generate from
};

struct RenderedChat {
    std::vector<std::int32_t> ids;
    std::vector<std::uint8_t> loss_mask;  ///< as long as ids; 1: the model is to learn this token
};

/// The special tokens of a format; a tokenizer must have them.
std::vector<std::string> special_tokens_of(ChatFormat format);

/// The template in Jinja, as tokenizer_config.json carries it in `chat_template`.
std::string_view jinja_of(ChatFormat format);

/// Turns conversations into ids, with loss on what the assistant says: its content and the token
/// that ends it, never the prompt, the role or the line break between messages.
///
/// Content is encoded as plain text: "<|im_end|>" inside a message is harmless text,
/// not the end of a turn. Role line and content are encoded apart, so that training sees the same
/// ids before an answer as generation does. Where content neither starts with white space nor
/// spells a special token, the ids equal those of the Jinja template under Hugging Face.
/// Immutable; any thread may use it.
class ChatTemplate {
public:
    /// Errors: kInvalidArgument if the tokenizer lacks a special token of the format.
    static Result<ChatTemplate> create(ChatFormat format, BpeTokenizer tokenizer);

    /// Errors: kInvalidArgument for an unknown role or no messages, with the place.
    Result<RenderedChat> render(
        std::span<const ChatMessage> messages, ChatEnding ending = ChatEnding::kComplete
    ) const;

    /// A user's turn and an answer to it.
    Result<RenderedChat> render_pair(std::string_view prompt, std::string_view answer) const;

    /// The token after which generation stops.
    std::int32_t end_id() const { return end_id_; }
    ChatFormat format() const { return format_; }

private:
    ChatTemplate(ChatFormat format, BpeTokenizer tokenizer, std::int32_t start, std::int32_t end)
        : format_(format), tokenizer_(std::move(tokenizer)), start_id_(start), end_id_(end) {}

    ChatFormat format_;
    BpeTokenizer tokenizer_;
    std::int32_t start_id_;  // kChatMl only
    std::int32_t end_id_;
};

}  // namespace nexa::text
