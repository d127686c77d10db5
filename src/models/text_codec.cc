// SPDX-License-Identifier: Apache-2.0
#include "models/text_codec.h"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/json_writer.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace nexa::models {

namespace {

using text::ChatFormat;

constexpr std::uint64_t kTokenizerBytesMax = std::uint64_t{256} << 20U;
constexpr std::uint64_t kConfigBytesMax = std::uint64_t{16} << 20U;
constexpr std::array kFormats{ChatFormat::kChatMl, ChatFormat::kPlain};

/// The `chat_template` of a tokenizer_config.json; empty where there is none.
Result<std::string> chat_template_in(const std::filesystem::path& model_folder) {
    const std::filesystem::path path = model_folder / "tokenizer_config.json";
    const auto text = read_file(path, kConfigBytesMax);
    if (!text) {
        return text.error().code == ErrorCode::kNotFound ? Result<std::string>(std::string())
                                                         : Result<std::string>(text.error());
    }
    const auto config = nlohmann::json::parse(*text, nullptr, false);
    if (!config.is_object()) {
        return Error::malformed("tokenizer_config.json is no JSON object");
    }
    const auto found = config.find("chat_template");
    return found != config.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool has_tokens_of(ChatFormat format, const text::BpeTokenizer& tokenizer) {
    for (const std::string& token : text::special_tokens_of(format)) {
        const auto id = tokenizer.id_of(token);
        if (!id || !tokenizer.is_special(*id)) {
            return false;
        }
    }
    return true;
}

Result<ChatFormat> format_of(std::string_view jinja, const text::BpeTokenizer& tokenizer) {
    for (const ChatFormat format : kFormats) {
        if (jinja == text::jinja_of(format)) {
            return format;
        }
    }
    for (const ChatFormat format : kFormats) {
        if (has_tokens_of(format, tokenizer)) {
            return format;
        }
    }
    return Error::invalid_argument("tokenizer.json has the special tokens of no known chat format")
        .hint("ChatML needs <|im_start|> and <|im_end|>, plain text <|endoftext|>");
}

}  // namespace

Result<TextCodec> TextCodec::create(ChatFormat format, text::BpeTokenizer tokenizer) {
    TRY(text::ChatTemplate chat, text::ChatTemplate::create(format, tokenizer));
    return TextCodec(std::move(tokenizer), std::move(chat));
}

Result<TextCodec> TextCodec::load(const std::filesystem::path& model_folder) {
    TRY(const std::string json, read_file(model_folder / "tokenizer.json", kTokenizerBytesMax));
    auto tokenizer = text::read_tokenizer_json(json);
    if (!tokenizer) {
        return std::move(tokenizer).error().while_doing("read tokenizer.json");
    }
    TRY(const std::string jinja, chat_template_in(model_folder));
    TRY(const ChatFormat format, format_of(jinja, *tokenizer));
    return create(format, *std::move(tokenizer));
}

Status TextCodec::save(const std::filesystem::path& model_folder) const {
    TRY_STATUS(write_file_atomically(
        model_folder / "tokenizer.json", text::write_tokenizer_json(tokenizer_)
    ));
    const std::string end(tokenizer_.token_of(end_id()).value_or(""));
    const nlohmann::ordered_json config{
        {"tokenizer_class", "PreTrainedTokenizerFast"},
        {"eos_token", end},
        {"pad_token", end},
        {"clean_up_tokenization_spaces", false},
        {"chat_template", text::jinja_of(chat_.format())},
    };
    return write_file_atomically(model_folder / "tokenizer_config.json", config.dump(2) + "\n");
}

Result<std::vector<std::int32_t>> TextCodec::encode_question(
    std::span<const text::ChatMessage> messages
) const {
    TRY(text::RenderedChat rendered, chat_.render(messages, text::ChatEnding::kAskAnswer));
    return std::move(rendered.ids);
}

Result<std::string> TextCodec::decode(std::span<const std::int32_t> ids) const {
    TRY(const std::string bytes, tokenizer_.decode(ids, text::DecodeSpecial::kSkip));
    return text::replace_invalid_utf8(bytes);
}

}  // namespace nexa::models
