// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/columnar/dataset_test_internal.h"
#include "engine/columnar/parquet_writer.h"
#include "fakes/tiny_disk.h"

namespace nexa::columnar {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kFixtures = "src/engine/columnar/testdata";

class Parquet : public DatasetTest {
protected:
    Result<Read> fixture(const std::string& name, ReaderOptions options = {}) const {
        return read_at(kFixtures / name, std::move(options));
    }
    std::filesystem::path file() const { return folder.path() / "rows.parquet"; }
};

TEST_F(Parquet, RowGroupsAreReadInOrderAndNumbersAreTexts) {
    const auto all = fixture("question_answer_snappy.parquet").value();
    EXPECT_EQ(all.format, RowFormat::kQuestionAnswer);
    ASSERT_EQ(all.rows.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(prompt_of(all.rows[i].row), fmt::format("what is {}?", i));
        EXPECT_EQ(answer_of(all.rows[i].row), std::to_string(i));
        EXPECT_EQ(all.rows[i].number, static_cast<std::int64_t>(i + 1));
    }
    const auto path = kFixtures / "question_answer_snappy.parquet";
    EXPECT_EQ(DatasetReader::open(path, {}).value().rows_total(), 5);
}

TEST_F(Parquet, LargeAndDictionaryTextsMetaAndSplitsAreRead) {
    const auto all = fixture("prompt_zstd.parquet").value();
    ASSERT_EQ(all.rows.size(), 5U);
    EXPECT_EQ(prompt_of(all.rows[3].row), "say 3");
    EXPECT_EQ(answer_of(all.rows[3].row), "odd");
    EXPECT_EQ(all.rows[3].meta.at(0).second, "3");
    EXPECT_EQ(all.rows[3].split, data::Split::kTest);
    EXPECT_EQ(
        fixture("prompt_zstd.parquet", {.split = data::Split::kTrain}).value().rows.size(), 3U
    );
}

TEST_F(Parquet, ListsOfMessagesAreConversations) {
    const auto all = fixture("chat_gzip.parquet", {.on_bad_row = OnBadRow::kReport}).value();
    ASSERT_EQ(all.rows.size(), 3U);
    const auto& first = std::get<data::ChatRow>(all.rows[0].row).messages;
    ASSERT_EQ(first.size(), 2U);
    EXPECT_EQ(first[1].role, "assistant");
    EXPECT_EQ(first[1].content, "hello ✓");
    EXPECT_TRUE(std::get<data::ChatRow>(all.rows[1].row).messages.empty());
    EXPECT_EQ(std::get<data::ChatRow>(all.rows[2].row).messages.at(0).content, "");
    EXPECT_EQ(all.rows[0].meta.at(0), (std::pair<std::string, std::string>("source", "a")));
    ASSERT_EQ(all.bad.size(), 1U);
    EXPECT_EQ(all.bad[0].number, 3);
    EXPECT_EQ(answer_of(fixture("sharegpt.parquet").value().rows.at(0).row), "yes");
}

TEST_F(Parquet, BadCellsAreNamedByRow) {
    const auto all = fixture("bad_cells.parquet", {.on_bad_row = OnBadRow::kReport}).value();
    EXPECT_EQ(all.rows.size(), 1U);
    ASSERT_EQ(all.bad.size(), 2U);
    EXPECT_THAT(all.bad[0].message, HasSubstr("`text` that is not UTF-8"));
    EXPECT_THAT(all.bad[1].message, HasSubstr("lacks `text`"));
    EXPECT_THAT(
        fixture("bad_cells.parquet").error().message, HasSubstr("row 2 of bad_cells.parquet")
    );
}

TEST_F(Parquet, AFileWithOtherColumnsSaysWhichItHas) {
    const auto refused = fixture("numbers.parquet");
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(refused.error().param, "numbers.parquet");
    EXPECT_THAT(refused.error().message, HasSubstr("only a, b"));
}

TEST_F(Parquet, BrokenFilesAreErrorsNotCrashes) {
    const std::string good = read_file(kFixtures / "prompt_zstd.parquet", 1 << 20).value();
    EXPECT_EQ(refused("a.parquet", "").code, ErrorCode::kMalformed);
    EXPECT_EQ(refused("a.parquet", "PAR1").code, ErrorCode::kMalformed);
    EXPECT_EQ(refused("a.parquet", "this is no parquet file").code, ErrorCode::kMalformed);
    EXPECT_EQ(refused("a.parquet", good.substr(0, good.size() / 2)).code, ErrorCode::kMalformed);
    for (std::size_t at = 0; at < good.size(); at += 7) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x55);
        write("a.parquet", bad);
        const auto all = read({.on_bad_row = OnBadRow::kReport});
        EXPECT_TRUE(all || !all.error().message.empty());
    }
}

TEST_F(Parquet, WhatIsWrittenIsReadBack) {
    auto writer = ParquetWriter::create(
                      file(),
                      {{.name = "messages", .type = ColumnType::kMessages},
                       {.name = "meta", .type = ColumnType::kText, .nulls = Nulls::kAllow},
                       {.name = "score", .type = ColumnType::kReal, .nulls = Nulls::kAllow},
                       {.name = "number", .type = ColumnType::kWhole},
                       {.name = "keep", .type = ColumnType::kBoolean},
                       {.name = "reasons", .type = ColumnType::kTexts}},
                      {.group_rows = 3}
    )
                      .value();
    const std::vector<text::ChatMessage> messages{{"user", "hi"}, {"assistant", "ho"}};
    const std::vector<std::string> reasons{"a", "b"};
    for (std::int64_t i = 0; i < 10; ++i) {
        const Cell meta = i % 2 == 0 ? Cell() : Cell(std::string_view(R"({"k":"v"})"));
        ASSERT_TRUE(writer.add({std::span(messages), meta, 0.5, i, true, std::span(reasons)}));
    }
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_EQ(writer.rows(), 10);
    ASSERT_TRUE(writer.finish());
    const auto all = read().value();
    ASSERT_EQ(all.rows.size(), 10U);
    EXPECT_EQ(answer_of(all.rows[9].row), "ho");
    EXPECT_EQ(all.rows[9].meta.at(0).second, "v");
    EXPECT_TRUE(all.rows[8].meta.empty());
    EXPECT_EQ(folder.names(), std::vector<std::string>{"rows.parquet"});
}

TEST_F(Parquet, GroupsOfLongRowsEndEarly) {
    auto writer = ParquetWriter::create(file(), {{.name = "text"}}, {.group_bytes = 1000}).value();
    const std::string text(400, 'x');
    for (int i = 0; i < 9; ++i) {
        ASSERT_TRUE(writer.add({std::string_view(text)}));
    }
    ASSERT_TRUE(writer.finish());
    EXPECT_EQ(read().value().rows.size(), 9U);
}

TEST_F(Parquet, AFullDiskIsAnErrorThatSaysSo) {
    const auto said = fakes::on_tiny_disk(folder.path(), 1 << 16U, [&] {
        auto writer = ParquetWriter::create(
            file(), {{.name = "number", .type = ColumnType::kWhole}}, {.group_rows = 1000}
        );
        Status status;
        for (std::int64_t i = 0; status && i < 1'000'000; ++i) {
            status = writer->add({i * i * 7919});
        }
        return status ? std::string("no error") : status.error().to_string();
    });
    if (!said) {
        GTEST_SKIP() << said.error().message;
    }
    EXPECT_THAT(*said, HasSubstr("disk full"));
}

TEST_F(Parquet, NoRowsMakeAFileWithoutRows) {
    auto writer = ParquetWriter::create(file(), {{.name = "text"}}).value();
    ASSERT_TRUE(writer.finish());
    EXPECT_THAT(read().error().message, HasSubstr("no row"));
}

TEST_F(Parquet, AnUnfinishedFileLeavesNothing) {
    {
        auto writer = ParquetWriter::create(file(), {{.name = "text"}}).value();
        ASSERT_TRUE(writer.add({std::string_view("a")}));
    }
    EXPECT_TRUE(folder.names().empty());
    EXPECT_EQ(
        ParquetWriter::create(folder.path() / "no/such.parquet", {{.name = "text"}}).error().code,
        ErrorCode::kNotFound
    );
}

}  // namespace
}  // namespace nexa::columnar
