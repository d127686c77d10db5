// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/columnar/dataset_reader.h"
#include "engine/columnar/dataset_test_internal.h"

namespace nexa::columnar {
namespace {

using data::Split;
using ::testing::HasSubstr;

using Folders = DatasetTest;
using Splits = DatasetTest;

std::string many_rows(int rows, std::string_view more = "") {
    std::string text;
    for (int i = 0; i < rows; ++i) {
        text += fmt::format("{{\"prompt\":\"p{}\",\"answer\":\"a\"{}}}\n", i, more);
    }
    return text;
}

std::map<std::string, int> count_by_prompt(const std::vector<SourceRow>& rows) {
    std::map<std::string, int> counts;
    for (const SourceRow& row : rows) {
        ++counts[std::string(prompt_of(row.row))];
    }
    return counts;
}

TEST_F(Folders, NoFolderNoFileNothingKnownAreSaidApart) {
    EXPECT_EQ(read_at(folder.path() / "none", {}).error().code, ErrorCode::kNotFound);
    const auto empty = read();
    EXPECT_EQ(empty.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(empty.error().message, HasSubstr("holds no file"));
    write("model.bin", "x");
    const auto unknown = read();
    EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(unknown.error().message, HasSubstr("model.bin"));
    EXPECT_THAT(unknown.error().advice, HasSubstr(".parquet"));
    EXPECT_EQ(read_at(folder.path() / "model.bin", {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Folders, OneFileIsADatasetToo) {
    write("rows.JSONL", "{\"text\":\"a\"}\n");
    EXPECT_EQ(read_at(folder.path() / "rows.JSONL", {}).value().rows.size(), 1U);
}

TEST_F(Folders, FilesAboutTheDatasetAndHiddenOnesAreNoData) {
    for (const char* name :
         {"schema.json",
          "preview.jsonl",
          "manifest.json",
          "findings.jsonl",
          "rejected.jsonl",
          "failed_rows.json",
          ".hidden.jsonl",
          ".cache/rows.jsonl",
          "tokenizer.json"}) {
        write(name, "not even JSON");
    }
    write("rows.jsonl", "{\"text\":\"a\"}\n");
    EXPECT_EQ(read().value().rows.size(), 1U);
}

TEST_F(Splits, TheNamesOfFilesSayThem) {
    write("train-00000-of-00001.jsonl", many_rows(3));
    write("data/valid.jsonl", many_rows(2));
    write("test/part.jsonl", many_rows(4));
    write("testimony.jsonl", many_rows(1));
    EXPECT_EQ(read({.split = Split::kTrain}).value().rows.size(), 4U);
    EXPECT_EQ(read({.split = Split::kValidation}).value().rows.size(), 2U);
    EXPECT_EQ(read({.split = Split::kTest}).value().rows.size(), 4U);
    EXPECT_EQ(read().value().rows.size(), 10U);
}

TEST_F(Splits, OneNamedSplitThatIsNotTrainIsThatSplitOnly) {
    for (const auto& [name, split] :
         {std::pair("test.jsonl", Split::kTest), std::pair("dev.jsonl", Split::kValidation)}) {
        write(name, many_rows(200));
        EXPECT_EQ(read({.split = split}).value().rows.size(), 200U);
        EXPECT_TRUE(read({.split = Split::kTrain}).value().rows.empty());
        write("more.jsonl", many_rows(30));
        EXPECT_EQ(read({.split = split}).value().rows.size(), 200U);
        EXPECT_EQ(read({.split = Split::kTrain}).value().rows.size(), 30U);
        std::filesystem::remove(folder.path() / name);
        std::filesystem::remove(folder.path() / "more.jsonl");
    }
}

TEST_F(Splits, OfTenRowsEverySplitHasOneInWhateverOrderTheyCome) {
    std::string forward;
    std::string backward;
    for (int i = 0; i < 10; ++i) {
        const std::string line = fmt::format("{{\"prompt\":\"q{}\",\"answer\":\"a\"}}\n", i);
        forward += line;
        backward = line + backward;
    }
    const auto prompts = [&](Split split) {
        return count_by_prompt(read({.split = split}).value().rows);
    };
    write("rows.jsonl", forward);
    const auto validation = prompts(Split::kValidation);
    const auto test = prompts(Split::kTest);
    EXPECT_FALSE(validation.empty());
    EXPECT_FALSE(test.empty());
    EXPECT_EQ(prompts(Split::kTrain).size() + validation.size() + test.size(), 10U);
    for (const SourceRow& row : read().value().rows) {  // who reads all sees the same splits
        EXPECT_EQ(row.split == Split::kTest, test.contains(std::string(prompt_of(row.row))));
    }
    write("rows.jsonl", "not a row\n" + backward);  // a bad row moves nobody
    const auto again = read({.split = Split::kTest, .on_bad_row = OnBadRow::kReport}).value().rows;
    EXPECT_EQ(count_by_prompt(again), test);
}

TEST_F(Splits, OfTenChunksOfATextEverySplitHasOne) {
    std::string text;
    for (int i = 0; i < 10; ++i) {
        text += fmt::format("paragraph {:04}\n\n", i);
    }
    for (const char* name : {"a.txt", "b.txt", "c.txt", "d.txt"}) {
        write(name, text);
        std::size_t rows = 0;
        for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
            const auto some = read({.split = split, .text_chunk_bytes = 20}).value().rows;
            EXPECT_FALSE(some.empty()) << name << data::to_string(split);
            rows += some.size();
        }
        EXPECT_EQ(rows, 10U);
        std::filesystem::remove(folder.path() / name);
    }
}

TEST_F(Splits, ASplitThatIsNotThereHasNoRows) {
    write("train.jsonl", many_rows(3));
    write("test.jsonl", many_rows(3));
    EXPECT_TRUE(read({.split = Split::kValidation}).value().rows.empty());
}

TEST_F(Splits, WithoutNamesRowsAreDrawnAndNoneIsInTwo) {
    write("train.jsonl", many_rows(4000));
    std::map<std::string, int> seen;
    const std::array<std::pair<Split, double>, 3> wanted{
        {{Split::kTrain, 3600}, {Split::kValidation, 200}, {Split::kTest, 200}}
    };
    for (const auto& [split, rows] : wanted) {
        const auto all = read({.split = split}).value();
        EXPECT_NEAR(static_cast<double>(all.rows.size()), rows, 60);
        for (const auto& [prompt, count] : count_by_prompt(all.rows)) {
            seen[prompt] += count;
        }
        EXPECT_TRUE(std::ranges::all_of(all.rows, [&](const SourceRow& row) {
            return row.split == split;
        }));
        auto reader = DatasetReader::open(folder.path(), {.split = split}).value();
        EXPECT_NEAR(static_cast<double>(reader.rows_total()), rows, rows / 10);
    }
    EXPECT_EQ(seen.size(), 4000U);
}

TEST_F(Splits, RowsWithTheSamePromptStayTogether) {
    std::string text;
    for (int i = 0; i < 2000; ++i) {
        text += fmt::format("{{\"prompt\":\"p{}\",\"answer\":\"{}\"}}\n", i % 500, i);
    }
    write("rows.jsonl", text);
    for (const Split split : {Split::kTrain, Split::kTest}) {
        for (const auto& [prompt, count] : count_by_prompt(read({.split = split}).value().rows)) {
            EXPECT_EQ(count, 4) << prompt;
        }
    }
}

TEST_F(Splits, TheChunksOfATextAreDrawn) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        text += fmt::format("paragraph {:04}\n\n", i);
    }
    write("book.txt", text);
    const ReaderOptions options{.text_chunk_bytes = 20};
    std::set<std::int64_t> numbers;
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
        ReaderOptions of_split = options;
        of_split.split = split;
        for (const SourceRow& row : read(of_split).value().rows) {
            EXPECT_TRUE(numbers.insert(row.number).second);
        }
    }
    EXPECT_EQ(numbers.size(), 1000U);
}

TEST_F(Splits, AColumnOfTheRowsSaysThem) {
    write("rows.jsonl", many_rows(50, R"(,"split":"train")") + many_rows(7, R"(,"split":"test")"));
    EXPECT_EQ(read({.split = Split::kTrain}).value().rows.size(), 50U);
    EXPECT_EQ(read({.split = Split::kTest}).value().rows.size(), 7U);
    EXPECT_TRUE(read({.split = Split::kValidation}).value().rows.empty());
}

TEST_F(Splits, AColumnThatSaysOneSplitOnlySaysNothing) {
    write("rows.jsonl", many_rows(1000, R"(,"split":"train")"));
    EXPECT_FALSE(read({.split = Split::kValidation}).value().rows.empty());
}

TEST_F(Folders, RealQuestionsAreRead) {
    const char* data = std::getenv("NEXA_TEST_DATA");  // NOLINT(concurrency-mt-unsafe): one thread
    if (data == nullptr) {
        GTEST_SKIP() << "NEXA_TEST_DATA is not set";
    }
    const std::filesystem::path shared(data);
    const auto all = read_at(shared / "gsm8k", {}).value();
    EXPECT_EQ(all.format, RowFormat::kQuestionAnswer);
    EXPECT_EQ(all.rows.size(), 7473U + 1319U);
    EXPECT_EQ(read_at(shared / "gsm8k", {.split = Split::kTest}).value().rows.size(), 1319U);
    const auto chunks =
        read_at(shared / "text/tinyshakespeare.txt", {.text_chunk_bytes = 2048}).value();
    std::size_t bytes = 0;
    for (const SourceRow& row : chunks.rows) {
        bytes += std::get<data::TextRow>(row.row).text.size();
    }
    EXPECT_EQ(bytes, std::filesystem::file_size(shared / "text/tinyshakespeare.txt"));
}

}  // namespace
}  // namespace nexa::columnar
