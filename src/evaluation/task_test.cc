// SPDX-License-Identifier: Apache-2.0
#include "evaluation/task.h"

#include <gtest/gtest.h>

namespace nexa::evaluation {
namespace {

const Meta kSum{{"domain", "arithmetic"}, {"operation", "add"}};
const Meta kReversedSum{{"domain", "arithmetic"}, {"answer_order", "reversed"}};

TaskItem pair(const std::string& prompt, const std::string& answer, const Meta& meta = {}) {
    return task_of(data::PromptCompletionRow{prompt, answer}, meta).value();
}

TEST(Task, OfAChatIsItsLastAnswer) {
    const data::ChatRow chat{
        .messages =
            {
                {"system", "be brief"},
                {"user", "a?"},
                {"assistant", "A"},
                {"user", "b?"},
                {"assistant", "B"},
            }
    };
    const TaskItem item = task_of(chat, {}).value();
    EXPECT_EQ(item.question.size(), 4U);
    EXPECT_EQ(item.prompt(), "b?");
    EXPECT_EQ(item.reference, "B");
}

TEST(Task, OfAChatThatEndsWithAQuestionHasNoReference) {
    const TaskItem item = task_of(data::ChatRow{.messages = {{"user", "a?"}}}, {}).value();
    EXPECT_FALSE(item.reference);
    EXPECT_FALSE(judge(item, "A").exact);
}

TEST(Task, OfAQuestionWithItsAnswerIsOneTurn) {
    const TaskItem item = task_of(data::QuestionAnswerRow{"why?", "because"}, {}).value();
    ASSERT_EQ(item.question.size(), 1U);
    EXPECT_EQ(item.question[0].role, "user");
    EXPECT_EQ(item.reference, "because");
}

TEST(Task, ATextAsksNothing) {
    EXPECT_EQ(task_of(data::TextRow{"x"}, {}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(task_of(data::ChatRow{}, {}));
    EXPECT_FALSE(task_of(data::ChatRow{.messages = {{"assistant", "A"}}}, {}));
}

TEST(Task, IsExactButForWhiteSpaceAroundTheAnswer) {
    const TaskItem item = pair("capital of France?", " Paris\n");
    EXPECT_EQ(judge(item, "Paris").exact, true);
    EXPECT_EQ(judge(item, "\t Paris \r\n").exact, true);
    EXPECT_EQ(judge(item, "paris").exact, false);
    EXPECT_EQ(judge(item, "Paris.").exact, false);
    EXPECT_EQ(judge(item, "").exact, false);
    EXPECT_FALSE(judge(item, "Paris").verified);
}

TEST(Task, OfABuiltInDomainIsSolvedAnewToo) {
    const TaskItem right = pair("12+30=", "42", kSum);
    EXPECT_EQ(judge(right, " 42").exact, true);
    EXPECT_EQ(judge(right, " 42").verified, true);
    EXPECT_EQ(judge(right, "43").verified, false);
    const TaskItem wrong = pair("12+30=", "43", kSum);
    EXPECT_EQ(judge(wrong, "42").exact, false);
    EXPECT_EQ(judge(wrong, "42").verified, true);
}

TEST(Task, KnowsTheOrderOfAnAnswersDigits) {
    const TaskItem item = pair("12+30=", "24", kReversedSum);
    EXPECT_EQ(judge(item, "24").exact, true);
    EXPECT_EQ(judge(item, "24").verified, true);
    EXPECT_EQ(judge(item, "42").verified, false);
}

TEST(Task, APromptThatTheDomainCannotSolveHasNoVerifier) {
    EXPECT_FALSE(pair("what is twelve plus thirty?", "42", kSum).verifier);
    EXPECT_FALSE(pair("12+30=", "42", {{"domain", "biology"}}).verifier);
    EXPECT_FALSE(pair("12+30=", "42").verifier);
    EXPECT_TRUE(pair("sort 5 3 9=", "3 5 9", {{"domain", "sort"}}).verifier);
}

}  // namespace
}  // namespace nexa::evaluation
