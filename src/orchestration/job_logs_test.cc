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

}  // namespace
}  // namespace nexa::orchestration
