// SPDX-License-Identifier: Apache-2.0
#include "engine/columnar/dataset_reader.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/columnar/dataset_test_internal.h"

namespace nexa::columnar {
namespace {

using ::testing::HasSubstr;

using Jsonl = DatasetTest;
using JsonArray = DatasetTest;
using Csv = DatasetTest;
using Texts = DatasetTest;

std::string text_of(const SourceRow& row) {
    return std::get<data::TextRow>(row.row).text;
}

TEST(RowFormats, HaveNamesThatReadBack) {
    for (const auto format :
         {RowFormat::kAuto,
          RowFormat::kChat,
          RowFormat::kPromptCompletion,
          RowFormat::kQuestionAnswer,
          RowFormat::kText}) {
        EXPECT_EQ(row_format_from(to_string(format)), format);
    }
    EXPECT_EQ(row_format_from("poem"), std::nullopt);
}

TEST_F(Jsonl, EveryNameOfAColumnMakesItsRow) {
    struct Case {
        std::string line;
        RowFormat format;
        std::string prompt;
        std::string answer;
    };
    const std::vector<Case> cases{
        {R"({"prompt":"a","completion":"b"})", RowFormat::kPromptCompletion, "a", "b"},
        {R"({"prompt":"a","response":"b"})", RowFormat::kPromptCompletion, "a", "b"},
        {R"({"prompt":"a","answer":"b"})", RowFormat::kPromptCompletion, "a", "b"},
        {R"({"prompt":"a","output":7})", RowFormat::kPromptCompletion, "a", "7"},
        {R"({"instruction":"a","output":"b","input":""})", RowFormat::kPromptCompletion, "a", "b"},
        {R"({"instruction":"a","input":"c","output":"b"})",
         RowFormat::kPromptCompletion,
         "a\n\nc",
         "b"},
        {R"({"question":"a","answer":"b","extra":[1]})", RowFormat::kQuestionAnswer, "a", "b"},
        {R"({"text":"a"})", RowFormat::kText, "", ""},
        {R"({"content":"a","title":null})", RowFormat::kText, "", ""},
        {R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})",
         RowFormat::kChat,
         "a",
         "b"},
        {R"({"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]})",
         RowFormat::kChat,
         "a",
         "b"},
        {R"({"messages":"[{\"role\":\"user\",\"content\":\"a\"}]"})", RowFormat::kChat, "a", ""},
        {R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]})",
         RowFormat::kChat,
         "a",
         ""},
    };
    for (const Case& wanted : cases) {
        write("rows.jsonl", wanted.line + "\n");
        const auto all = read();
        ASSERT_TRUE(all) << wanted.line << all.error().to_string();
        EXPECT_EQ(all->format, wanted.format) << wanted.line;
        ASSERT_EQ(all->rows.size(), 1U);
        EXPECT_EQ(prompt_of(all->rows[0].row), wanted.prompt) << wanted.line;
        EXPECT_EQ(answer_of(all->rows[0].row), wanted.answer) << wanted.line;
    }
}

TEST_F(Jsonl, RolesOfOtherFormatsBecomeOursAndUnknownOnesStay) {
    write(
        "rows.jsonl",
        R"({"conversations":[{"from":"system","value":"s"},{"from":"human",)"
        R"("value":"h"},{"from":"gpt","value":"g"},{"from":"narrator","value":"n"}]})"
    );
    const auto all = read().value();
    const auto& messages = std::get<data::ChatRow>(all.rows.at(0).row).messages;
    ASSERT_EQ(messages.size(), 4U);
    EXPECT_EQ(messages[1].role, "user");
    EXPECT_EQ(messages[2].role, "assistant");
    EXPECT_EQ(messages[3].role, "narrator");
}

TEST_F(Jsonl, ByteOrderMarkWindowsLineEndsAndEmptyLinesAreNoRows) {
    write("rows.jsonl", "\xEF\xBB\xBF{\"text\":\"a\"}\r\n\r\n   \n{\"text\":\"b\"}");
    const auto all = read().value();
    ASSERT_EQ(all.rows.size(), 2U);
    EXPECT_EQ(text_of(all.rows[1]), "b");
    EXPECT_EQ(all.rows[1].number, 4);
    EXPECT_EQ(all.rows[1].file, "rows.jsonl");
}

TEST_F(Jsonl, MetaComesAsTexts) {
    write(
        "rows.jsonl",
        R"({"text":"a","meta":{"domain":"dates","n":3,"tags":["x"]}})"
        "\n"
        R"({"text":"b","meta":"{\"k\":\"v\"}"})"
        "\n"
        R"({"text":"c","meta":"plain"})"
        "\n"
        R"({"text":"d","meta":null})"
    );
    const auto all = read().value();
    using Meta = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(all.rows[0].meta, (Meta{{"domain", "dates"}, {"n", "3"}, {"tags", "[\"x\"]"}}));
    EXPECT_EQ(all.rows[1].meta, (Meta{{"k", "v"}}));
    EXPECT_EQ(all.rows[2].meta, (Meta{{"meta", "plain"}}));
    EXPECT_TRUE(all.rows[3].meta.empty());
}

TEST_F(Jsonl, ABadLineIsNamedByFileAndNumber) {
    const std::string good = "{\"prompt\":\"a\",\"answer\":\"b\"}\n";
    struct Case {
        std::string line;
        std::string says;
    };
    const std::vector<Case> cases{
        {"{\"prompt\": \"a", "no JSON"},
        {"[1,2]", "no object but a list"},
        {"42", "no object but a number"},
        {R"({"prompt":"a"})", "lacks `completion`"},
        {R"({"answer":"a"})", "lacks `prompt`"},
        {R"({"prompt":["a"],"answer":"b"})", "`prompt` that is no text but a list"},
        {R"({"prompt":"a","prompt":"b","answer":"c"})", "prompt"},
        {"{\"prompt\":\"\xFF\",\"answer\":\"b\"}", "no JSON"},
        {R"({"prompt":"\ud800","answer":"b"})", "no JSON"},
        {std::string("{\"prompt\":\"a\0\",\"answer\":\"b\"}", 29), "no JSON"},
        {std::string(5000, '['), "no JSON"},
    };
    for (const Case& wanted : cases) {
        const Error error = refused("train.jsonl", good + wanted.line + "\n" + good);
        EXPECT_THAT(error.message, HasSubstr("line 2 of train.jsonl")) << wanted.line;
        EXPECT_THAT(error.message, HasSubstr(wanted.says)) << wanted.line;
        EXPECT_EQ(error.param, "train.jsonl:2");
        EXPECT_FALSE(error.advice.empty());
    }
}

TEST_F(Jsonl, ABrokenLineSaysWhereItBroke) {
    const Error error = refused("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"a\",}\n");
    EXPECT_THAT(error.message, HasSubstr("read: column 13")) << error.message;
}

TEST_F(Jsonl, BadMessagesAreNamedByTheirPlace) {
    const std::string good = R"({"messages":[{"role":"user","content":"a"}]})"
                             "\n";
    EXPECT_THAT(
        refused("a.jsonl", good + R"({"messages":[{"role":"user","content":"a"},{"role":"user"}]})")
            .message,
        HasSubstr("messages[1] lacks `content`")
    );
    EXPECT_THAT(
        refused("a.jsonl", good + R"({"messages":[{"role":1,"content":"a"}]})").message,
        HasSubstr("messages[0].role is no text")
    );
    EXPECT_THAT(
        refused("a.jsonl", good + R"({"messages":{"role":"user"}})").message,
        HasSubstr("no list but an object")
    );
}

TEST_F(Jsonl, ReportingGoesOnBehindBadRows) {
    write("a.jsonl", "nonsense\n{\"text\":\"a\"}\n{\"text\":[3]}\n{\"text\":\"b\"}\n");
    write("b.csv", "first,second\n1,2\n");
    write("c.jsonl", "{\"text\":\"c\"}\n");
    const auto all = read_reporting();
    ASSERT_TRUE(all) << all.error().to_string();
    ASSERT_EQ(all->rows.size(), 3U);
    EXPECT_EQ(text_of(all->rows[2]), "c");
    ASSERT_EQ(all->bad.size(), 3U);
    EXPECT_EQ(all->bad[0].file, "a.jsonl");
    EXPECT_EQ(all->bad[0].number, 1);
    EXPECT_EQ(all->bad[1].number, 3);
    EXPECT_EQ(all->bad[2].file, "b.csv");
    EXPECT_EQ(all->bad[2].number, 0);
}

TEST_F(Jsonl, NothingButBadRowsIsAnErrorThatNamesTheFirst) {
    write("a.jsonl", "nonsense\n{}\n");
    const auto all = read_reporting();
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().param, "a.jsonl:1");
}

TEST_F(Jsonl, AfterAnErrorThereIsNothingMore) {
    write("a.jsonl", "{\"text\":\"a\"}\n{\n{\"text\":\"b\"}\n");
    auto reader = DatasetReader::open(folder.path(), {}).value();
    ASSERT_TRUE(reader.next().value());
    ASSERT_FALSE(reader.next());
    EXPECT_FALSE(reader.next().value());
}

TEST_F(Jsonl, ALineOf64MiBIsTooLongAndTheNextIsRead) {
    std::string line = "{\"text\":\"";
    line.append(std::size_t{64} << 20U, 'x');
    write("a.jsonl", "{\"text\":\"a\"}\n" + line + "\"}\n{\"text\":\"b\"}\n");
    const auto all = read_reporting().value();
    ASSERT_EQ(all.rows.size(), 2U);
    EXPECT_EQ(all.rows[1].number, 3);
    ASSERT_EQ(all.bad.size(), 1U);
    EXPECT_THAT(all.bad[0].message, HasSubstr("longer than 64 MiB"));
}

TEST_F(Jsonl, ALongLineThatStillFitsIsRead) {
    const std::string text(std::size_t{8} << 20U, 'x');
    write("a.jsonl", "{\"text\":\"" + text + "\"}\n");
    EXPECT_EQ(text_of(read().value().rows.at(0)), text);
}

TEST_F(Jsonl, ANamedFormatIsReadWhateverElseTheRowsHave) {
    write("a.jsonl", R"({"question":"q","answer":"a","text":"t"})");
    EXPECT_EQ(read().value().format, RowFormat::kQuestionAnswer);
    EXPECT_EQ(text_of(read({.format = RowFormat::kText}).value().rows.at(0)), "t");
    const auto refused = read({.format = RowFormat::kChat});
    EXPECT_THAT(refused.error().message, HasSubstr("lacks `messages`"));
}

TEST_F(Jsonl, RowsMaxCountsRowsAndTheEstimateIsNear) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        text += fmt::format("{{\"text\":\"row number {:04}\"}}\n", i);
    }
    write("a.jsonl", text);
    EXPECT_EQ(read({.rows_max = 7}).value().rows.size(), 7U);
    auto reader = DatasetReader::open(folder.path(), {}).value();
    EXPECT_EQ(reader.rows_total(), 1000);
    EXPECT_EQ(DatasetReader::open(folder.path(), {.rows_max = 7}).value().rows_total(), 7);
}

TEST_F(JsonArray, ItsElementsAreRows) {
    write("a.json", "\xEF\xBB\xBF \n[ {\"text\":\"a, ] \\\" }\"} ,\n{\"text\":\"b\"}\n]\n");
    const auto all = read().value();
    ASSERT_EQ(all.rows.size(), 2U);
    EXPECT_EQ(text_of(all.rows[0]), "a, ] \" }");
    EXPECT_EQ(all.rows[1].number, 2);
}

TEST_F(JsonArray, AFileOfLinesIsReadToo) {
    write("a.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
    EXPECT_EQ(read().value().rows.size(), 2U);
}

TEST_F(JsonArray, WhatIsNoArrayOfRowsIsRefused) {
    EXPECT_THAT(refused("a.json", "[{\"text\":\"a\"}").message, HasSubstr("never closed"));
    EXPECT_THAT(refused("a.json", "[{\"text\":\"a\"}] x").message, HasSubstr("more follows"));
    EXPECT_THAT(
        refused("a.json", "[{\"text\":\"a\"},,{\"text\":\"b\"}]").message, HasSubstr("no JSON")
    );
    EXPECT_THAT(refused("a.json", "[{\"text\":\"a\"},]").message, HasSubstr("element 2"));
    EXPECT_THAT(refused("a.json", "[]").message, HasSubstr("no row"));
    EXPECT_THAT(refused("a.json", "[").message, HasSubstr("never closed"));
    EXPECT_THAT(refused("a.json", "").message, HasSubstr("no row"));
}

TEST_F(Csv, QuotesMayHoldSeparatorsQuotesAndLineEnds) {
    write(
        "a.csv",
        "id,question,answer\r\n"
        "1,\"a, \"\"b\"\"\nc\",plain \"quoted\" text\r\n"
        "\r\n"
        "2,\"\",\"x\r\"\n"
        "3,last,row"
    );
    const auto all = read().value();
    ASSERT_EQ(all.rows.size(), 3U);
    EXPECT_EQ(prompt_of(all.rows[0].row), "a, \"b\"\nc");
    EXPECT_EQ(answer_of(all.rows[0].row), "plain \"quoted\" text");
    EXPECT_EQ(all.rows[0].number, 2);
    EXPECT_EQ(prompt_of(all.rows[1].row), "");
    EXPECT_EQ(answer_of(all.rows[1].row), "x\r");
    EXPECT_EQ(all.rows[1].number, 5);
    EXPECT_EQ(answer_of(all.rows[2].row), "row");
}

TEST_F(Csv, TabsSeparateInATsv) {
    write("a.tsv", "prompt\tcompletion\na,b\tc\n");
    EXPECT_EQ(prompt_of(read().value().rows.at(0).row), "a,b");
}

TEST_F(Csv, BadRecordsSayLineAndColumn) {
    const std::string good = "question,answer\nq,a\n";
    EXPECT_THAT(
        refused("a.csv", good + "one\n").message,
        HasSubstr("line 3 of a.csv has 1 cells where the header has 2")
    );
    EXPECT_THAT(
        refused("a.csv", good + "q,\"a\"b\n").message,
        HasSubstr("text behind a closing quote (line 3, column 2)")
    );
    EXPECT_THAT(
        refused("a.csv", good + "q,\"a\nq,a\n").message,
        HasSubstr("in line 3, that is never closed")
    );
    EXPECT_THAT(
        refused("a.csv", good + "q,\xFF\n").message, HasSubstr("not UTF-8 in column 2 (answer)")
    );
}

TEST_F(Csv, TheHeaderNamesTheColumns) {
    const Error unknown = refused("a.csv", "q,a\n1,2\n");
    EXPECT_EQ(unknown.param, "a.csv");
    EXPECT_THAT(unknown.message, HasSubstr("none of the columns"));
    EXPECT_THAT(refused("a.csv", "text,text\n1,2\n").message, HasSubstr("'text' twice"));
    EXPECT_THAT(refused("a.csv", "text\n").message, HasSubstr("no row"));
    EXPECT_EQ(refused("a.csv", "").code, ErrorCode::kInvalidArgument);
}

TEST_F(Csv, GoesOnBehindABadRecord) {
    write("a.csv", "question,answer\n1,\"x\"y,3\n2,b\n3\n4,d\n");
    const auto all = read_reporting().value();
    EXPECT_EQ(all.rows.size(), 2U);
    EXPECT_EQ(all.bad.size(), 2U);
}

TEST_F(Texts, AFileIsARowInTheOrderOfNames) {
    write("b.md", "# B\n");
    write("a.txt", "\xEF\xBB\xBFhello\n");
    write("deep/c.markdown", "c");
    write("empty.txt", "");
    const auto all = read().value();
    ASSERT_EQ(all.rows.size(), 3U);
    EXPECT_EQ(text_of(all.rows[0]), "hello\n");
    EXPECT_EQ(all.rows[2].file, "deep/c.markdown");
}

TEST_F(Texts, ChunksAreWholeParagraphsAndJoinedTheFile) {
    std::string text;
    for (int i = 0; i < 200; ++i) {
        text += fmt::format(
            "paragraph {} has\nsome lines äöü.{}", i, i % 3 == 0 ? "\r\n\r\n" : "\n \n\n"
        );
    }
    write("a.txt", text);
    for (const std::size_t bytes : {std::size_t{64}, std::size_t{100}, std::size_t{1000}}) {
        const auto all = read({.text_chunk_bytes = bytes}).value();
        std::string joined;
        for (const SourceRow& row : all.rows) {
            EXPECT_LE(text_of(row).size(), bytes);
            EXPECT_THAT(text_of(row), ::testing::StartsWith("paragraph"));
            joined += text_of(row);
        }
        EXPECT_EQ(joined, text);
        EXPECT_EQ(all.rows.back().number, static_cast<std::int64_t>(all.rows.size()));
    }
}

TEST_F(Texts, AParagraphThatIsTooLongIsCutBetweenCharacters) {
    std::string words;
    for (int i = 0; i < 100; ++i) {
        words += "word ";
    }
    std::string letters;
    for (int i = 0; i < 100; ++i) {
        letters += "é";
    }
    write("a.txt", words + letters);
    const auto all = read({.text_chunk_bytes = 33}).value();
    std::string joined;
    for (const SourceRow& row : all.rows) {
        EXPECT_LE(text_of(row).size(), 33U);
        joined += text_of(row);
    }
    EXPECT_EQ(joined, words + letters);
    EXPECT_EQ(text_of(all.rows[0]), "word word word word word word ");
}

TEST_F(Texts, TheSmallestChunksHoldWholeCharacters) {
    write("a.txt", "a€😀😀bé");
    std::string joined;
    for (const SourceRow& row : read({.text_chunk_bytes = 1}).value().rows) {
        joined += text_of(row);
    }
    EXPECT_EQ(joined, "a€😀😀bé");
}

TEST_F(Texts, ATextThatIsNotUtf8IsABadRow) {
    write("a.txt", "good");
    write("b.txt", "bad \xFF\xFE");
    EXPECT_THAT(read().error().message, HasSubstr("chunk 1 of b.txt is not UTF-8"));
    EXPECT_EQ(read_reporting().value().rows.size(), 1U);
}

TEST_F(Texts, AreNoDataBesideRows) {
    write("README.md", "# About");
    write("train.jsonl", "{\"text\":\"a\"}\n");
    EXPECT_EQ(read().value().rows.size(), 1U);
}

}  // namespace
}  // namespace nexa::columnar
