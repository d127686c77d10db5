// SPDX-License-Identifier: Apache-2.0
#include "data/document_qa.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nexa::data {
namespace {

const std::string kDocument =
    "# The mill\n"
    "\n"
    "The old mill stood by the river, and its wheel turned slowly all day long. Nobody knew\n"
    "who had built it. The miller said that his grandfather bought the place for a song.\n"
    "\n"
    "Too short a paragraph.\n"
    "\n"
    "```\n"
    "# not a heading but code in a fence with enough words to be a paragraph of its own, surely\n"
    "```\n"
    "## The storm\n"
    "In the winter of that year a storm broke the wheel, tore shingles from the roof and flooded\n"
    "the cellar. The miller's daughter, J\xC3\xB6rdis, carried the grain upstairs all night!\n";

std::vector<DocumentQaRow> rows_of(const DocumentQaOptions& options = {}, std::uint64_t seed = 1) {
    auto rows = questions_about(kDocument, options, seed);
    EXPECT_TRUE(rows);
    return *std::move(rows);
}

TEST(DocumentQa, AsksEachKindOfEachLongParagraphAndEveryAnswerStandsInTheText) {
    const auto rows = rows_of();
    ASSERT_EQ(rows.size(), 6U);
    std::map<std::size_t, int> by_paragraph;
    for (const DocumentQaRow& row : rows) {
        EXPECT_TRUE(verify(kDocument, row)) << row.prompt << " -> " << row.answer;
        EXPECT_EQ(kDocument.substr(row.answer_begin, row.answer_bytes), row.answer);
        ++by_paragraph[row.paragraph];
    }
    EXPECT_EQ(by_paragraph, (std::map<std::size_t, int>{{0, 3}, {2, 3}}));
}

TEST(DocumentQa, SectionsAreThoseTheSentenceStandsUnder) {
    const auto rows = rows_of({.questions = {DocumentQuestion::kSection}, .per_paragraph = 9});
    ASSERT_EQ(rows.size(), 5U);  // of three and of two sentences with five words at least
    for (const DocumentQaRow& row : rows) {
        EXPECT_EQ(row.answer, row.paragraph == 0 ? "The mill" : "The storm");
        EXPECT_TRUE(verify(kDocument, row));
    }
}

TEST(DocumentQa, AMissingWordStandsOnceInItsPassage) {
    const auto rows = rows_of({.questions = {DocumentQuestion::kMissingWord}, .per_paragraph = 50});
    std::set<std::string> words;
    std::set<std::pair<std::size_t, std::string>> by_paragraph;
    for (const DocumentQaRow& row : rows) {
        EXPECT_EQ(row.prompt.find("____"), row.prompt.rfind("____"));
        EXPECT_GE(row.answer.size(), 4U);
        words.insert(row.answer);
        EXPECT_TRUE(by_paragraph.emplace(row.paragraph, row.answer).second) << row.answer;
    }
    EXPECT_TRUE(words.contains("J\xC3\xB6rdis"));
    EXPECT_TRUE(words.contains("river"));      // without its comma
    EXPECT_FALSE(words.contains("miller's"));  // two runs of letters
}

TEST(DocumentQa, ContinuationsEndAtASentenceOrAtTheLimit) {
    const auto rows = rows_of(
        {.questions = {DocumentQuestion::kContinuation},
         .per_paragraph = 40,
         .answer_words_max = 5,
         .prompt_words_max = 8}
    );
    ASSERT_GT(rows.size(), 20U);
    for (const DocumentQaRow& row : rows) {
        EXPECT_LE(std::count(row.answer.begin(), row.answer.end(), ' '), 4);
        EXPECT_TRUE(verify(kDocument, row)) << row.prompt << " -> " << row.answer;
    }
}

TEST(DocumentQa, SameSeedGivesTheSameRowsNoneTwiceAndOtherSeedsDiffer) {
    const DocumentQaOptions options{.per_paragraph = 5};
    const auto rows = rows_of(options, 3);
    EXPECT_EQ(rows_of(options, 3), rows);
    EXPECT_NE(rows_of(options, 4), rows);
    std::set<std::string> prompts;
    for (const DocumentQaRow& row : rows) {
        EXPECT_TRUE(prompts.insert(row.prompt).second) << row.prompt;
    }
}

TEST(DocumentQa, VerifyRefusesWrongAnswersAndWrongPlaces) {
    for (const DocumentQaRow& row : rows_of({.per_paragraph = 9})) {
        DocumentQaRow wrong = row;
        wrong.answer += "x";
        EXPECT_FALSE(verify(kDocument, wrong));
        wrong = row;
        wrong.answer_begin = kDocument.size() + 5;
        EXPECT_FALSE(verify(kDocument, wrong));
        wrong = row;
        wrong.prompt = "Something else?";
        EXPECT_FALSE(verify(kDocument, wrong));
        // "The" stands in many places, but not where a continuation follows its passage.
        wrong = row;
        wrong.answer = "The";
        wrong.answer_begin = kDocument.find("The");
        wrong.answer_bytes = 3;
        EXPECT_FALSE(verify(kDocument, wrong));
    }
}

TEST(DocumentQa, TextsWithoutParagraphsGiveNoRowsAndBadInputIsRefused) {
    EXPECT_TRUE(questions_about("", {}, 1)->empty());
    EXPECT_TRUE(questions_about("# Only\n\n## headings\n", {}, 1)->empty());
    EXPECT_EQ(
        questions_about("abc \xFF", {}, 1).error().to_string(),
        "document: the document is not UTF-8 at byte 4"
    );
    EXPECT_EQ(
        questions_about("", {.per_paragraph = 0}, 1).error().to_string(),
        "per_paragraph: must be 1 to 100, is 0"
    );
    EXPECT_EQ(
        questions_about("", {.questions = {}}, 1).error().to_string(),
        "questions: must name a question"
    );
}

}  // namespace
}  // namespace nexa::data
