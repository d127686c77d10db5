// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/bpe_tokenizer.h"
#include "text/chat_template.h"

namespace nexa::models {

/// How a model reads and writes text: its tokenizer and the form of its conversations, as the files
/// beside its weights say. Immutable and cheap to copy; any thread may use it.
class TextCodec {
public:
    /// Errors: kInvalidArgument if the tokenizer lacks a special token of the format.
    static Result<TextCodec> create(text::ChatFormat format, text::BpeTokenizer tokenizer);

    /// Reads tokenizer.json and tokenizer_config.json of a model's folder. A chat_template that is
    /// none of ours, or none at all, leaves the format to the special tokens that are there.
    /// Errors: kNotFound, kMalformed, kInvalidArgument, each naming the file.
    static Result<TextCodec> load(const std::filesystem::path& model_folder);

    /// Writes both files, each whole or not at all, as `transformers` reads them. Errors:
    /// kUnavailable.
    Status save(const std::filesystem::path& model_folder) const;

    const text::BpeTokenizer& tokenizer() const { return tokenizer_; }
    const text::ChatTemplate& chat() const { return chat_; }
    /// The token after which an answer, or a document, has ended.
    std::int32_t end_id() const { return chat_.end_id(); }

    /// The ids after which a model says the assistant's next turn.
    Result<std::vector<std::int32_t>> encode_question(std::span<const text::ChatMessage> messages
    ) const;
    /// The text of generated ids, without special tokens; what is not UTF-8 becomes U+FFFD.
    /// Errors: kInvalidArgument (an id outside the vocabulary).
    Result<std::string> decode(std::span<const std::int32_t> ids) const;

private:
    TextCodec(text::BpeTokenizer tokenizer, text::ChatTemplate chat)
        : tokenizer_(std::move(tokenizer)), chat_(std::move(chat)) {}

    text::BpeTokenizer tokenizer_;
    text::ChatTemplate chat_;
};

}  // namespace nexa::models
