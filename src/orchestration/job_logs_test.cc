// SPDX-License-Identifier: Apache-2.0
#include "orchestration/job_logs.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "core/file.h"

namespace nexa::orchestration {
namespace {

class JobLogsTest : public ::testing::Test {
protected:
    TemporaryDirectory root =
        TemporaryDirectory::create(std::filesystem::temp_directory_path()).value();
    JobLogs logs{StoragePaths(root.path()), {.attempt_bytes_max = 20}};
    LogRef log{.job_id = JobId::parse("job_1").value(), .fence = 1};
};

TEST_F(JobLogsTest, TextSentTwiceIsStoredOnce) {
    EXPECT_EQ(logs.append(log, 0, "hello ").value(), 6);
    EXPECT_EQ(logs.append(log, 0, "hello ").value(), 6);
    EXPECT_EQ(logs.append(log, 3, "lo world").value(), 11);
    EXPECT_EQ(logs.read(log, 0, 100)->text, "hello world");
}

TEST_F(JobLogsTest, AGapStoresNothingAndAsksAgain) {
    EXPECT_EQ(logs.append(log, 5, "late").value(), 0);
    EXPECT_EQ(logs.read(log, 0, 100)->text, "");
}

TEST_F(JobLogsTest, AttemptsHaveLogsOfTheirOwn) {
    logs.append(log, 0, "one").value();
    LogRef second = log;
    second.fence = 2;
    logs.append(second, 0, "two").value();
    EXPECT_EQ(logs.read(log, 0, 100)->text, "one");
    EXPECT_EQ(logs.read(second, 0, 100)->text, "two");
}

TEST_F(JobLogsTest, ReadsRangesAndFromTheEnd) {
    logs.append(log, 0, "0123456789").value();
    EXPECT_EQ(logs.read(log, 2, 3)->text, "234");
    EXPECT_EQ(logs.read(log, -4, 100)->text, "6789");
    EXPECT_EQ(logs.read(log, -4, 100)->offset, 6);
    EXPECT_EQ(logs.read(log, 100, 10)->text, "");
    EXPECT_EQ(logs.read(log, 0, 1)->bytes_total, 10);
}

TEST_F(JobLogsTest, BeyondTheLimitTextIsDropped) {
    logs.append(log, 0, "0123456789012345678901").value();
    EXPECT_EQ(logs.append(log, 22, "more").value(), 26);
    EXPECT_LE(logs.read(log, 0, 100)->text.size(), 22U);
}

TEST_F(JobLogsTest, AJobWithoutLogIsEmpty) {
    EXPECT_EQ(logs.read({.job_id = JobId::parse("job_none").value(), .fence = 1}, 0, 10)->text, "");
}

class LongLogs : public JobLogsTest {
protected:
    void SetUp() override {
        std::string text;
        for (int i = 0; i < 200'000; ++i) {
            text += fmt::format("line {} of many words\n", i);
        }
        text += "The End";
        ASSERT_TRUE(many.append(log, 0, text));
        whole = text;
    }
    std::vector<std::string> found(const LogQuery& query) {
        std::vector<std::string> lines;
        for (const LogMatch& match : many.search(log, query)->matches) {
            EXPECT_EQ(
                whole.compare(
                    static_cast<std::size_t>(match.offset), match.text.size(), match.text
                ),
                0
            );
            lines.push_back(match.text);
        }
        return lines;
    }
    JobLogs many{StoragePaths(root.path())};
    std::string whole;
};

TEST_F(LongLogs, TheTailIsTheLastLines) {
    EXPECT_EQ(many.tail(log, 1, 1000)->text, "The End");
    EXPECT_EQ(many.tail(log, 2, 1000)->text, "line 199999 of many words\nThe End");
    EXPECT_EQ(many.tail(log, 1000, 10)->text, whole.substr(whole.size() - 10));
    EXPECT_EQ(many.tail(log, 2, 1000)->offset, static_cast<std::int64_t>(whole.size()) - 33);
    ASSERT_TRUE(many.append(log, static_cast<std::int64_t>(whole.size()), "\n"));
    EXPECT_EQ(many.tail(log, 1, 1000)->text, "The End\n");
    EXPECT_EQ(many.tail(log, 0, 1000)->text, "\n");
    EXPECT_EQ(many.tail({.job_id = log.job_id, .fence = 9}, 5, 1000)->text, "");
}

TEST_F(LongLogs, LinesAreFoundInEveryPieceAndInEitherCase) {
    EXPECT_EQ(
        found({.text = "LINE 19999"}),
        (std::vector<std::string>{
            "line 19999 of many words",
            "line 199990 of many words",
            "line 199991 of many words",
            "line 199992 of many words",
            "line 199993 of many words",
            "line 199994 of many words",
            "line 199995 of many words",
            "line 199996 of many words",
            "line 199997 of many words",
            "line 199998 of many words",
            "line 199999 of many words",
        })
    );
    EXPECT_EQ(found({.text = "the end"}), std::vector<std::string>{"The End"});
    EXPECT_TRUE(found({.text = "nowhere"}).empty());
    EXPECT_TRUE(found({.text = "line 1", .offset = static_cast<std::int64_t>(whole.size())}).empty()
    );
}

TEST_F(LongLogs, ALimitedSearchGoesOnWhereItLeftOff) {
    std::size_t count = 0;
    LogQuery query{.text = "words", .limit = 1000, .scan_bytes_max = 3'000'000};
    for (;;) {
        const auto part = many.search(log, query).value();
        count += part.matches.size();
        EXPECT_LE(part.matches.size(), 1000U);
        if (part.is_all) {
            break;
        }
        ASSERT_GT(part.next_offset, query.offset);
        query.offset = part.next_offset;
    }
    EXPECT_EQ(count, 200'000U);
    const auto rare = many.search(log, {.text = "the end", .scan_bytes_max = 1}).value();
    EXPECT_FALSE(rare.is_all);
    EXPECT_TRUE(rare.matches.empty());
}

TEST_F(LongLogs, AnEndlessLineIsLookedThroughInPieces) {
    const LogRef other{.job_id = log.job_id, .fence = 2};
    ASSERT_TRUE(many.append(other, 0, std::string(3'000'000, 'x') + "needle"));
    const auto matches = many.search(other, {.text = "needle"})->matches;
    ASSERT_EQ(matches.size(), 1U);
    EXPECT_EQ(matches[0].text.size(), kLogLineShown);
}

}  // namespace
}  // namespace nexa::orchestration
