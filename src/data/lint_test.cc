// SPDX-License-Identifier: Apache-2.0
#include "data/lint.h"

#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nexa::data {
namespace {

// "rule field; rule field" in the order found.
std::string lint(const DatasetRow& row, const LintOptions& options = {}) {
    std::string found;
    for (const LintFinding& finding : lint_row(7, row, options)) {
        EXPECT_EQ(finding.row, 7);
        EXPECT_FALSE(finding.message.empty());
        found += fmt::format(
            "{}{} {}", found.empty() ? "" : "; ", to_string(finding.rule), finding.field
        );
    }
    return found;
}

std::string lint_roles(const std::vector<std::string>& roles) {
    ChatRow chat;
    for (std::size_t i = 0; i < roles.size(); ++i) {
        chat.messages.push_back({roles[i], fmt::format("text {}", i)});
    }
    return lint(chat);
}

TEST(Lint, GoodRowsOfEveryKindHaveNoFindings) {
    EXPECT_EQ(lint_roles({"user", "assistant"}), "");
    EXPECT_EQ(lint_roles({"system", "user", "assistant", "user", "assistant"}), "");
    EXPECT_EQ(
        lint_roles({"user", "assistant", "tool", "tool", "assistant", "user", "assistant"}), ""
    );
    EXPECT_EQ(lint(PromptCompletionRow{"Once", " upon a time"}), "");
    EXPECT_EQ(lint(QuestionAnswerRow{"2+2?", "4"}), "");
    EXPECT_EQ(lint(TextRow{"line\r\n\tline\n"}), "");
}

TEST(Lint, RolesMustTakeTurns) {
    EXPECT_EQ(lint_roles({}), "no_messages messages");
    EXPECT_EQ(lint_roles({"user"}), "missing_assistant messages");
    EXPECT_EQ(lint_roles({"user", "assistant", "user"}), "last_not_assistant messages");
    EXPECT_EQ(lint_roles({"assistant"}), "first_not_user messages[0].role");
    EXPECT_EQ(lint_roles({"system", "assistant"}), "first_not_user messages[1].role");
    EXPECT_EQ(lint_roles({"tool", "assistant"}), "first_not_user messages[0].role");
    EXPECT_EQ(lint_roles({"user", "user", "assistant"}), "roles_out_of_order messages[1].role");
    EXPECT_EQ(
        lint_roles({"user", "assistant", "assistant"}), "roles_out_of_order messages[2].role"
    );
    EXPECT_EQ(lint_roles({"user", "tool", "assistant"}), "roles_out_of_order messages[1].role");
    EXPECT_EQ(
        lint_roles({"user", "assistant", "tool", "user", "assistant"}),
        "roles_out_of_order messages[3].role"
    );
    EXPECT_EQ(lint_roles({"user", "system", "assistant"}), "system_not_first messages[1].role");
    EXPECT_EQ(
        lint_roles({"user", "gpt"}), "unknown_role messages[1].role; missing_assistant messages"
    );
    EXPECT_EQ(
        lint_roles({"User", "assistant"}),
        "unknown_role messages[0].role; "
        "roles_out_of_order messages[1].role"
    );
}

TEST(Lint, FieldsMustBeTextThatIsThere) {
    EXPECT_EQ(lint(QuestionAnswerRow{"", "4"}), "empty question");
    EXPECT_EQ(lint(QuestionAnswerRow{"2+2?", " \n\xE3\x80\x80"}), "empty answer");
    EXPECT_EQ(lint(TextRow{"ab\xFF"}), "not_utf8 text");
    EXPECT_EQ(lint(TextRow{std::string("a\0b", 3)}), "control_character text");
    EXPECT_EQ(lint(TextRow{"a\x1B[31mred"}), "control_character text");
    EXPECT_EQ(lint(TextRow{"a\xC2\x9C"}), "control_character text");
    EXPECT_EQ(lint(TextRow{"a\xEF\xBF\xBD"}), "replacement_character text");
    EXPECT_EQ(lint(TextRow{"12345"}, {.field_bytes_max = 5}), "");
    EXPECT_EQ(lint(TextRow{"123456"}, {.field_bytes_max = 5}), "too_long text");
    EXPECT_EQ(lint(QuestionAnswerRow{"2+2?", "4 "}), "surrounding_space answer");
    EXPECT_EQ(
        lint(QuestionAnswerRow{"Say hi", " Say hi"}),
        "surrounding_space answer; answer_is_prompt answer"
    );
    EXPECT_EQ(lint(PromptCompletionRow{"same", "same"}), "answer_is_prompt completion");
}

TEST(Lint, EveryMessageOfAConversationIsLookedAt) {
    ChatRow chat{{{"user", "hi"}, {"assistant", ""}, {"user", "\xFF"}, {"assistant", "ok\x07"}}};
    EXPECT_EQ(
        lint(chat),
        "empty messages[1].content; not_utf8 messages[2].content; control_character "
        "messages[3].content"
    );
    EXPECT_EQ(lint(chat, {.messages_max = 3}).substr(0, 26), "too_many_messages messages");
}

TEST(Lint, MessagesSayWhatAndWhere) {
    EXPECT_EQ(lint_row(1, TextRow{"ab\xFF"})[0].message, "is not UTF-8 at byte 2");
    EXPECT_EQ(
        lint_row(1, TextRow{"ab\x07"})[0].message, "has the control character U+0007 at byte 2"
    );
    EXPECT_EQ(lint_row(1, ChatRow{{{"x\xFF", "a"}}})[0].message, "is 'x?', no known role");
}

TEST(Linter, CountsAllAndKeepsTheFirstFindings) {
    Linter linter({.findings_max = 2});
    EXPECT_TRUE(linter.add(1, TextRow{"fine"}));
    EXPECT_TRUE(linter.add(2, QuestionAnswerRow{"a", "b "}));  // a warning only
    EXPECT_FALSE(linter.add(3, TextRow{""}));
    EXPECT_FALSE(linter.add(4, QuestionAnswerRow{"", ""}));
    EXPECT_EQ(linter.rows(), 4);
    EXPECT_EQ(linter.rows_with_errors(), 2);
    EXPECT_EQ(linter.count(LintRule::kEmpty), 3);
    EXPECT_EQ(linter.count(LintRule::kSurroundingSpace), 1);
    ASSERT_EQ(linter.findings().size(), 2U);
    EXPECT_EQ(linter.findings()[0].row, 2);
    EXPECT_EQ(linter.findings()[1].row, 3);
}

TEST(LintRules, HaveNamesOfTheirOwnInTheOrderOfTheEnum) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kLintRules; ++i) {
        names.insert(to_string(static_cast<LintRule>(i)));
    }
    EXPECT_EQ(names.size(), kLintRules);
    EXPECT_EQ(to_string(LintRule::kAnswerIsPrompt), "answer_is_prompt");
    EXPECT_EQ(severity_of(LintRule::kAnswerIsPrompt), LintSeverity::kWarning);
    EXPECT_EQ(severity_of(LintRule::kEmpty), LintSeverity::kError);
}

}  // namespace
}  // namespace nexa::data
