// SPDX-License-Identifier: Apache-2.0
#include "data/lint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/utf8.h"
#include "data/lines_internal.h"
#include "text/utf8.h"

namespace nexa::data {
namespace {

struct RuleRow {
    LintRule rule;
    std::string_view name;
    LintSeverity severity;
};
constexpr std::array<RuleRow, kLintRules> kRules{{
    {LintRule::kNoMessages, "no_messages", LintSeverity::kError},
    {LintRule::kTooManyMessages, "too_many_messages", LintSeverity::kError},
    {LintRule::kUnknownRole, "unknown_role", LintSeverity::kError},
    {LintRule::kSystemNotFirst, "system_not_first", LintSeverity::kError},
    {LintRule::kFirstNotUser, "first_not_user", LintSeverity::kError},
    {LintRule::kRolesOutOfOrder, "roles_out_of_order", LintSeverity::kError},
    {LintRule::kMissingAssistant, "missing_assistant", LintSeverity::kError},
    {LintRule::kLastNotAssistant, "last_not_assistant", LintSeverity::kError},
    {LintRule::kEmpty, "empty", LintSeverity::kError},
    {LintRule::kTooLong, "too_long", LintSeverity::kError},
    {LintRule::kNotUtf8, "not_utf8", LintSeverity::kError},
    {LintRule::kControlCharacter, "control_character", LintSeverity::kError},
    {LintRule::kReplacementCharacter, "replacement_character", LintSeverity::kWarning},
    {LintRule::kSurroundingSpace, "surrounding_space", LintSeverity::kWarning},
    {LintRule::kAnswerIsPrompt, "answer_is_prompt", LintSeverity::kWarning},
}};

std::string_view stripped(std::string_view text) {
    return internal::strip_left(internal::strip_right(text));
}

bool is_control(char32_t c) {
    const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    return is_control && c != U'\t' && c != U'\n' && c != U'\r' && c != 0x85;
}

enum class FieldKind : std::uint8_t { kQuestion, kAnswer };

class RowLinter {
public:
    RowLinter(std::int64_t row, const LintOptions& options) : row_(row), options_(options) {}

    void operator()(const ChatRow& chat) {
        check_roles(chat.messages);
        for (std::size_t i = 0; i < chat.messages.size(); ++i) {
            const text::ChatMessage& message = chat.messages[i];
            const bool is_answer = message.role == "assistant";
            check_text(
                fmt::format("messages[{}].content", i),
                message.content,
                is_answer ? FieldKind::kAnswer : FieldKind::kQuestion
            );
            if (is_answer && i > 0) {
                check_repeat(
                    fmt::format("messages[{}].content", i),
                    chat.messages[i - 1].content,
                    message.content
                );
            }
        }
    }
    void operator()(const PromptCompletionRow& row) {
        check_text("prompt", row.prompt, FieldKind::kQuestion);
        // A completion may well begin with the space that follows its prompt.
        check_text("completion", row.completion, FieldKind::kQuestion);
        check_repeat("completion", row.prompt, row.completion);
    }
    void operator()(const QuestionAnswerRow& row) {
        check_text("question", row.question, FieldKind::kQuestion);
        check_text("answer", row.answer, FieldKind::kAnswer);
        check_repeat("answer", row.question, row.answer);
    }
    void operator()(const TextRow& row) { check_text("text", row.text, FieldKind::kQuestion); }

    std::vector<LintFinding> take() { return std::move(findings_); }

private:
    void add(LintRule rule, std::string field, std::string message) {
        findings_.push_back({row_, std::move(field), rule, std::move(message)});
    }

    void check_text(const std::string& field, const std::string& text, FieldKind kind) {
        if (const auto bad = find_invalid_utf8(text)) {
            add(LintRule::kNotUtf8, field, fmt::format("is not UTF-8 at byte {}", *bad));
            return;
        }
        if (text.size() > options_.field_bytes_max) {
            add(LintRule::kTooLong,
                field,
                fmt::format(
                    "has {} bytes, over the limit of {}", text.size(), options_.field_bytes_max
                ));
        }
        if (stripped(text).empty()) {
            add(LintRule::kEmpty, field, text.empty() ? "is empty" : "is only white space");
            return;
        }
        check_characters(field, text);
        if (kind == FieldKind::kAnswer && stripped(text).size() != text.size()) {
            add(LintRule::kSurroundingSpace, field, "begins or ends with white space");
        }
    }

    // The first of each kind is enough to find the row.
    void check_characters(const std::string& field, const std::string& text) {
        std::optional<std::size_t> control;
        std::optional<std::size_t> replacement;
        for (std::size_t at = 0; at < text.size() && !(control && replacement);) {
            const text::DecodedChar step = text::decode_char(text, at);
            if (!control && is_control(step.code_point)) {
                control = at;
                add(LintRule::kControlCharacter,
                    field,
                    fmt::format(
                        "has the control character U+{:04X} at byte {}",
                        static_cast<std::uint32_t>(step.code_point),
                        at
                    ));
            }
            if (!replacement && step.code_point == nexa::kReplacementCharacter) {
                replacement = at;
                add(LintRule::kReplacementCharacter,
                    field,
                    fmt::format("has U+FFFD at byte {}: it was decoded wrongly before", at));
            }
            at += step.length;
        }
    }

    void check_repeat(std::string field, std::string_view question, std::string_view answer) {
        if (!stripped(answer).empty() && stripped(question) == stripped(answer)) {
            add(LintRule::kAnswerIsPrompt, std::move(field), "repeats what it answers");
        }
    }

    void check_roles(const std::vector<text::ChatMessage>& messages) {
        if (messages.empty()) {
            add(LintRule::kNoMessages, "messages", "has no message");
            return;
        }
        if (messages.size() > options_.messages_max) {
            add(LintRule::kTooManyMessages,
                "messages",
                fmt::format(
                    "has {} messages, over the limit of {}", messages.size(), options_.messages_max
                ));
        }
        std::string_view previous;
        bool has_assistant = false;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            check_role(i, previous, messages[i].role);
            previous = messages[i].role;
            has_assistant = has_assistant || previous == "assistant";
        }
        if (!has_assistant) {
            add(LintRule::kMissingAssistant, "messages", "has no assistant message");
        } else if (previous != "assistant") {
            add(LintRule::kLastNotAssistant,
                "messages",
                fmt::format("ends with a message of '{}'", quotable(previous)));
        }
    }

    void check_role(std::size_t i, std::string_view previous, std::string_view role) {
        const std::string field = fmt::format("messages[{}].role", i);
        const bool is_known =
            role == "system" || role == "user" || role == "assistant" || role == "tool";
        if (!is_known) {
            add(LintRule::kUnknownRole, field, fmt::format("is '{}', no known role", quotable(role))
            );
            return;
        }
        if (role == "system") {
            if (i > 0) {
                add(LintRule::kSystemNotFirst, field, "is 'system' after another message");
            }
            return;
        }
        const bool is_first = i == 0 || (i == 1 && previous == "system");
        if (is_first && role != "user") {
            add(LintRule::kFirstNotUser,
                field,
                fmt::format("is '{}', where a user should begin", role));
            return;
        }
        const bool is_answered_tool =
            role == "tool" && (previous == "assistant" || previous == "tool");
        const bool is_answer = role == "assistant" && (previous == "user" || previous == "tool");
        const bool is_question = role == "user" && previous != "user" && previous != "tool";
        if (!is_answered_tool && !is_answer && !is_question && i > 0 && previous != "system") {
            add(LintRule::kRolesOutOfOrder,
                field,
                fmt::format("is '{}' after '{}'", role, quotable(previous)));
        }
    }

    std::int64_t row_;
    const LintOptions& options_;
    std::vector<LintFinding> findings_;
};

}  // namespace

std::string_view to_string(LintRule rule) {
    return kRules[static_cast<std::size_t>(rule)].name;
}

LintSeverity severity_of(LintRule rule) {
    return kRules[static_cast<std::size_t>(rule)].severity;
}

std::vector<LintFinding> lint_row(
    std::int64_t row_number, const DatasetRow& row, const LintOptions& options
) {
    RowLinter linter(row_number, options);
    std::visit(linter, row);
    return linter.take();
}

bool Linter::add(std::int64_t row_number, const DatasetRow& row) {
    bool has_error = false;
    for (LintFinding& finding : lint_row(row_number, row, options_)) {
        ++counts_[static_cast<std::size_t>(finding.rule)];
        has_error = has_error || severity_of(finding.rule) == LintSeverity::kError;
        if (findings_.size() < options_.findings_max) {
            findings_.push_back(std::move(finding));
        }
    }
    ++rows_;
    rows_with_errors_ += has_error ? 1 : 0;
    return !has_error;
}

}  // namespace nexa::data
