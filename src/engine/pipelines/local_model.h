// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "engine/nets/language_model.h"
#include "text/chat_template.h"

namespace nexa::pipelines {

/// The model in a folder, to be asked: on the GPU if there is one. Errors: those of
/// nets::load_language_model().
Result<nets::LanguageModel> load_local_model(const std::filesystem::path& folder);

/// A conversation that waits for the assistant's turn. The draws of the answer follow from `seed`.
struct ModelQuestion {
    std::span<const text::ChatMessage> messages;
    std::uint64_t seed = 0;
};

enum class AnswerEnd : std::uint8_t {
    kByItself,
    kCutOff,          ///< at new_tokens_max or the model's last position
    kQuestionTooLong  ///< for the model's positions: it was not asked
};
std::string_view to_string(AnswerEnd end);

struct ModelAnswer {
    std::string text;  ///< what is no text became U+FFFD
    AnswerEnd end = AnswerEnd::kByItself;
    std::int64_t question_tokens = 0;
    std::int64_t answer_tokens = 0;  ///< without the one that ends it
};

struct AnswerOptions {
    std::int64_t new_tokens_max = 64;
    double temperature = 0;  ///< 0: always the likeliest token
    double top_p = 1;
};

/// Called after each batch with how many are answered; an error ends the work.
using AnswerProgress = std::function<Status(std::int64_t answered)>;

/// An answer for each question, in their order. Questions of like length are computed side by side,
/// some hundreds at a time. Blocks; asks `stop_requested` before each token.
/// Errors: kInvalidArgument (an unknown role, an option), kCancelled, those of `progress`, and
/// libtorch's own as guard() turns them.
Result<std::vector<ModelAnswer>> answer_questions(
    const nets::LanguageModel& model,
    std::span<const ModelQuestion> questions,
    const AnswerOptions& options,
    const std::function<bool()>& stop_requested = {},
    const AnswerProgress& progress = {}
);

}  // namespace nexa::pipelines
