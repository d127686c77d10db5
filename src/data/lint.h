// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/chat_template.h"

namespace nexa::data {

struct ChatRow {
    std::vector<text::ChatMessage> messages;
};
struct PromptCompletionRow {
    std::string prompt;
    std::string completion;
};
struct QuestionAnswerRow {
    std::string question;
    std::string answer;
};
struct TextRow {
    std::string text;
};
using DatasetRow = std::variant<ChatRow, PromptCompletionRow, QuestionAnswerRow, TextRow>;

enum class LintRule : std::uint8_t {
    kNoMessages,  ///< a conversation without messages
    kTooManyMessages,
    kUnknownRole,       ///< not system, user, assistant or tool
    kSystemNotFirst,    ///< a system message after another one
    kFirstNotUser,      ///< after the system message, if any
    kRolesOutOfOrder,   ///< the same side twice in a row, or a tool without an assistant before it
    kMissingAssistant,  ///< nothing to learn from
    kLastNotAssistant,  ///< the last question has no answer
    kEmpty,             ///< nothing but white space
    kTooLong,           ///< over the limit for one field
    kNotUtf8,
    kControlCharacter,      ///< other than tab and line ends
    kReplacementCharacter,  ///< U+FFFD: a text that was decoded wrongly before
    kSurroundingSpace,      ///< white space at an end of an answer, which the model would learn
    kAnswerIsPrompt,        ///< the answer repeats the question
};
inline constexpr std::size_t kLintRules = 15;

enum class LintSeverity : std::uint8_t { kError, kWarning };

std::string_view to_string(LintRule rule);
/// Errors make a row unfit for training; warnings are worth a look.
LintSeverity severity_of(LintRule rule);

struct LintFinding {
    std::int64_t row = 0;  ///< as the caller numbers them
    std::string field;     ///< "messages[2].content", "prompt", …
    LintRule rule = LintRule::kEmpty;
    std::string message;  ///< one sentence

    friend bool operator==(const LintFinding&, const LintFinding&) = default;
};

struct LintOptions {
    std::size_t field_bytes_max = std::size_t{1} << 20U;
    std::size_t messages_max = 1000;
    std::size_t findings_max = 10000;  ///< of a Linter; counting goes on beyond
};

/// All that is wrong with one row, in the order of its fields. Content may be any bytes.
std::vector<LintFinding> lint_row(
    std::int64_t row_number, const DatasetRow& row, const LintOptions& options = {}
);

/// Collects over a dataset: counts of all findings, and the first ones themselves.
class Linter {
public:
    explicit Linter(LintOptions options = {}) : options_(options) {}

    /// False if the row has an error.
    bool add(std::int64_t row_number, const DatasetRow& row);

    std::int64_t rows() const { return rows_; }
    std::int64_t rows_with_errors() const { return rows_with_errors_; }
    std::int64_t count(LintRule rule) const { return counts_[static_cast<std::size_t>(rule)]; }
    const std::vector<LintFinding>& findings() const { return findings_; }

private:
    LintOptions options_;
    std::int64_t rows_ = 0;
    std::int64_t rows_with_errors_ = 0;
    std::array<std::int64_t, kLintRules> counts_{};
    std::vector<LintFinding> findings_;
};

}  // namespace nexa::data
