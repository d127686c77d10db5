// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/row_format.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "core/check.h"
#include "engine/columnar/source_internal.h"

namespace nexa::columnar {

namespace {

using internal::Record;

constexpr std::array<std::string_view, 5> kFormatNames{
    "auto", "chat", "prompt_completion", "question_answer", "text"
};
constexpr std::array<std::string_view, 4> kAnswers{"completion", "response", "answer", "output"};
constexpr std::array<std::string_view, 2> kTexts{"text", "content"};

std::optional<Record::Cell>& cell_of(Record& record, std::string_view column) {
    return record.texts.at(internal::text_column(column));
}

bool has(const Record& record, std::string_view column) {
    return record.texts.at(internal::text_column(column)).has_value();
}

bool has_any(const Record& record, std::span<const std::string_view> columns) {
    return std::ranges::any_of(columns, [&](std::string_view column) {
        return has(record, column);
    });
}

using Text = std::expected<std::string, std::string>;

/// The text of the first of `columns` that is there.
Text take(Record& record, std::span<const std::string_view> columns) {
    for (const std::string_view column : columns) {
        if (auto& cell = cell_of(record, column)) {
            if (!cell->fault.empty()) {
                return std::unexpected(fmt::format("has a `{}` that {}", column, cell->fault));
            }
            return std::move(cell->text);
        }
    }
    return std::unexpected(fmt::format("lacks `{}`", fmt::join(columns, "` or `")));
}

Text take(Record& record, std::string_view column) {
    return take(record, std::span(&column, 1));
}

std::expected<data::DatasetRow, std::string> to_chat(Record& record) {
    if (!record.messages_fault.empty()) {
        return std::unexpected(std::move(record.messages_fault));
    }
    if (!record.messages) {
        return std::unexpected("lacks `messages`");
    }
    return data::ChatRow{.messages = std::move(*record.messages)};
}

Text take_instruction(Record& record) {
    Text text = take(record, "instruction");
    if (text && has(record, "input")) {
        const Text input = take(record, "input");
        if (!input) {
            return input;
        }
        if (!input->empty()) {
            *text += "\n\n" + *input;
        }
    }
    return text;
}

std::expected<data::DatasetRow, std::string> to_prompt_completion(Record& record) {
    Text prompt = has(record, "prompt") || !has(record, "instruction") ? take(record, "prompt")
                                                                       : take_instruction(record);
    if (!prompt) {
        return std::unexpected(std::move(prompt).error());
    }
    Text completion = take(record, kAnswers);
    if (!completion) {
        return std::unexpected(std::move(completion).error());
    }
    return data::PromptCompletionRow{
        .prompt = std::move(*prompt), .completion = std::move(*completion)
    };
}

std::expected<data::DatasetRow, std::string> to_question_answer(Record& record) {
    Text question = take(record, "question");
    if (!question) {
        return std::unexpected(std::move(question).error());
    }
    Text answer = take(record, "answer");
    if (!answer) {
        return std::unexpected(std::move(answer).error());
    }
    return data::QuestionAnswerRow{.question = std::move(*question), .answer = std::move(*answer)};
}

std::expected<data::DatasetRow, std::string> to_text(Record& record) {
    Text text = take(record, kTexts);
    if (!text) {
        return std::unexpected(std::move(text).error());
    }
    return data::TextRow{.text = std::move(*text)};
}

bool ends_with_assistant(const data::ChatRow& row) {
    return !row.messages.empty() && row.messages.back().role == "assistant";
}

std::string_view prompt_of_chat(const data::ChatRow& row) {
    const auto last = std::ranges::find(
        row.messages.rbegin(), row.messages.rend(), "user", &text::ChatMessage::role
    );
    return last == row.messages.rend() ? std::string_view() : last->content;
}

template <class... Case>
struct Overloaded : Case... {
    using Case::operator()...;
};

}  // namespace

std::string_view to_string(RowFormat format) {
    return kFormatNames.at(static_cast<std::size_t>(format));
}

std::optional<RowFormat> row_format_from(std::string_view name) {
    const auto found = internal::column_index(kFormatNames, name);
    return found ? std::optional(static_cast<RowFormat>(*found)) : std::nullopt;
}

std::string_view prompt_of(const data::DatasetRow& row) {
    using View = std::string_view;
    return std::visit(
        Overloaded{
            [](const data::ChatRow& chat) { return prompt_of_chat(chat); },
            [](const data::PromptCompletionRow& pair) { return View(pair.prompt); },
            [](const data::QuestionAnswerRow& pair) { return View(pair.question); },
            [](const data::TextRow&) { return View(); },
        },
        row
    );
}

std::string_view answer_of(const data::DatasetRow& row) {
    using View = std::string_view;
    return std::visit(
        Overloaded{
            [](const data::ChatRow& chat) {
                return ends_with_assistant(chat) ? View(chat.messages.back().content) : View();
            },
            [](const data::PromptCompletionRow& pair) { return View(pair.completion); },
            [](const data::QuestionAnswerRow& pair) { return View(pair.answer); },
            [](const data::TextRow&) { return View(); },
        },
        row
    );
}

std::vector<text::ChatMessage> turns_of(const data::DatasetRow& row) {
    using Turns = std::vector<text::ChatMessage>;
    const auto pair = [](const std::string& question, const std::string& answer) -> Turns {
        return {{"user", question}, {"assistant", answer}};
    };
    return std::visit(
        Overloaded{
            [](const data::ChatRow& chat) { return chat.messages; },
            [&](const data::PromptCompletionRow& made) {
                return pair(made.prompt, made.completion);
            },
            [&](const data::QuestionAnswerRow& made) { return pair(made.question, made.answer); },
            [](const data::TextRow&) { return Turns(); },
        },
        row
    );
}

namespace internal {

std::optional<std::size_t> column_index(
    std::span<const std::string_view> columns, std::string_view name
) {
    const auto found = std::ranges::find(columns, name);
    return found == columns.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - columns.begin()));
}

std::size_t text_column(std::string_view name) {
    const auto index = column_index(kTextColumns, name);
    NEXA_CHECK(index.has_value());
    return *index;
}

std::string columns_read() {
    return "`messages`, `prompt` and `completion`, `instruction` and `output`, `question` and "
           "`answer`, or `text`";
}

std::optional<RowFormat> recognize(const Record& record) {
    if (record.messages || !record.messages_fault.empty()) {
        return RowFormat::kChat;
    }
    if ((has(record, "prompt") || has(record, "instruction")) && has_any(record, kAnswers)) {
        return RowFormat::kPromptCompletion;
    }
    if (has(record, "question") && has(record, "answer")) {
        return RowFormat::kQuestionAnswer;
    }
    if (has_any(record, kTexts)) {
        return RowFormat::kText;
    }
    return std::nullopt;
}

std::expected<data::DatasetRow, std::string> to_row(RowFormat format, Record& record) {
    switch (format) {
        case RowFormat::kChat:
            return to_chat(record);
        case RowFormat::kPromptCompletion:
            return to_prompt_completion(record);
        case RowFormat::kQuestionAnswer:
            return to_question_answer(record);
        case RowFormat::kText:
            return to_text(record);
        case RowFormat::kAuto:
            break;
    }
    return std::unexpected(fmt::format("has none of the columns {}", columns_read()));
}

std::string split_key_of(const data::DatasetRow& row) {
    const auto* chat = std::get_if<data::ChatRow>(&row);
    if (chat == nullptr) {
        const auto* text = std::get_if<data::TextRow>(&row);
        return text != nullptr ? text->text : std::string(prompt_of(row));
    }
    std::string key;
    const std::size_t asked = chat->messages.size() - (ends_with_assistant(*chat) ? 1 : 0);
    for (const text::ChatMessage& message : std::span(chat->messages).first(asked)) {
        key += message.role;
        key += '\0';
        key += message.content;
        key += '\0';
    }
    return key;
}

std::string role_named(std::string_view name) {
    using Row = std::pair<std::string_view, std::string_view>;
    static constexpr std::array kRoles{
        Row{"human", "user"},
        Row{"gpt", "assistant"},
        Row{"chatgpt", "assistant"},
        Row{"bot", "assistant"},
        Row{"model", "assistant"},
        Row{"function", "tool"},
        Row{"observation", "tool"},
    };
    const auto* known = std::ranges::find(kRoles, name, &Row::first);
    return std::string(known == kRoles.end() ? name : known->second);
}

}  // namespace internal
}  // namespace nexa::columnar
