// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "data/lint.h"
#include "text/chat_template.h"

namespace nexa::columnar {

/// What a row is. The names of its columns, the first that is there counting:
///
/// | chat              | `messages` (role, content) or `conversations` (from, value)            |
/// | prompt_completion | `prompt` and `completion`, `response`, `answer` or `output`;           |
/// |                   | or `instruction`, perhaps `input`, and one of those                    |
/// | question_answer   | `question` and `answer`                                                |
/// | text              | `text` or `content`                                                    |
enum class RowFormat : std::uint8_t { kAuto, kChat, kPromptCompletion, kQuestionAnswer, kText };

/// "auto", "chat", "prompt_completion", "question_answer", "text".
std::string_view to_string(RowFormat format);
std::optional<RowFormat> row_format_from(std::string_view name);

/// What is asked and what is answered: of a chat its last user message before the end, and its last
/// message if that is the assistant's. Empty where the row has none, as a text has none.
/// The views point into `row`.
std::string_view prompt_of(const data::DatasetRow& row);
std::string_view answer_of(const data::DatasetRow& row);

/// The turns that a row stands for, its answer as the assistant's; a text has none.
std::vector<text::ChatMessage> turns_of(const data::DatasetRow& row);

}  // namespace nexa::columnar
