// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/utf8.h"

namespace nexa::text {
namespace {

constexpr std::string_view kAssistant = "assistant";
constexpr std::array<std::string_view, 4> kRoles{"system", "user", kAssistant, "tool"};
constexpr std::string_view kStart = "<|im_start|>";
constexpr std::string_view kEnd = "<|im_end|>";
constexpr std::string_view kEndOfText = "<|endoftext|>";

constexpr std::string_view kChatMlJinja =
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

constexpr std::string_view kPlainJinja =
    "{% for message in messages %}"
    "{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|endoftext|>' }}{% endif %}"
    "{% endfor %}";

enum class Loss : std::uint8_t { kNo, kYes };

class Sequence {
public:
    explicit Sequence(const BpeTokenizer& tokenizer) : tokenizer_(tokenizer) {}

    void add_text(std::string_view text, Loss loss) {
        const auto ids = tokenizer_.encode(text, SpecialTokens::kPlainText);
        chat_.ids.insert(chat_.ids.end(), ids.begin(), ids.end());
        chat_.loss_mask.resize(chat_.ids.size(), loss == Loss::kYes ? 1 : 0);
    }
    void add_id(std::int32_t id, Loss loss) {
        chat_.ids.push_back(id);
        chat_.loss_mask.push_back(loss == Loss::kYes ? 1 : 0);
    }
    RenderedChat take() { return std::move(chat_); }

private:
    const BpeTokenizer& tokenizer_;
    RenderedChat chat_;
};

}  // namespace

std::vector<std::string> special_tokens_of(ChatFormat format) {
    if (format == ChatFormat::kPlain) {
        return {std::string(kEndOfText)};
    }
    return {std::string(kStart), std::string(kEnd)};
}

std::string_view jinja_of(ChatFormat format) {
    return format == ChatFormat::kPlain ? kPlainJinja : kChatMlJinja;
}

Result<ChatTemplate> ChatTemplate::create(ChatFormat format, BpeTokenizer tokenizer) {
    std::vector<std::int32_t> ids;
    for (const std::string& token : special_tokens_of(format)) {
        const std::optional<std::int32_t> id = tokenizer.id_of(token);
        if (!id || !tokenizer.is_special(*id)) {
            return Error::invalid_argument("the tokenizer has no special token '{}'", token)
                .hint("train or extend it with the special tokens of the chat format");
        }
        ids.push_back(*id);
    }
    return ChatTemplate(format, std::move(tokenizer), ids.front(), ids.back());
}

Result<RenderedChat> ChatTemplate::render(std::span<const ChatMessage> messages, ChatEnding ending)
    const {
    if (messages.empty()) {
        return Error::invalid_argument("a conversation must have a message").at("messages");
    }
    const bool is_chat_ml = format_ == ChatFormat::kChatMl;
    Sequence sequence(tokenizer_);
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const ChatMessage& message = messages[i];
        if (std::ranges::find(kRoles, message.role) == kRoles.end()) {
            return Error::invalid_argument("no role '{}'", quotable(message.role))
                .at(fmt::format("messages[{}].role", i))
                .hint("system, user, assistant and tool are");
        }
        const bool is_answer = message.role == kAssistant;
        const Loss loss = is_answer ? Loss::kYes : Loss::kNo;
        if (is_chat_ml) {
            sequence.add_id(start_id_, Loss::kNo);
            sequence.add_text(message.role + "\n", Loss::kNo);
        }
        sequence.add_text(message.content, loss);
        if (is_chat_ml || is_answer) {
            sequence.add_id(end_id_, loss);
        }
        if (is_chat_ml) {
            sequence.add_text("\n", Loss::kNo);
        }
    }
    if (is_chat_ml && ending == ChatEnding::kAskAnswer) {
        sequence.add_id(start_id_, Loss::kNo);
        sequence.add_text("assistant\n", Loss::kNo);
    }
    return sequence.take();
}

Result<RenderedChat> ChatTemplate::render_pair(std::string_view prompt, std::string_view answer)
    const {
    const std::array<ChatMessage, 2> messages{{
        {"user", std::string(prompt)},
        {std::string(kAssistant), std::string(answer)},
    }};
    return render(messages);
}

}  // namespace nexa::text
