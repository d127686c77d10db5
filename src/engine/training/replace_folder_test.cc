// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>

#include "engine/training/replace_folder_internal.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;

class ReplaceFolder : public testing::TestWithParam<Swap> {
protected:
    void SetUp() override {
        fs::remove_all(parent_);
        fs::create_directories(parent_);
    }
    void TearDown() override { fs::remove_all(parent_); }

    static std::function<Status(const fs::path&)> writes(const std::string& text) {
        return [text](const fs::path& folder) -> Status {
            std::ofstream(folder / "file") << text;
            return ok();
        };
    }

    std::string content() const {
        std::ifstream in(folder_ / "file");
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::ptrdiff_t entries() const {
        return std::distance(fs::directory_iterator(parent_), fs::directory_iterator());
    }

    fs::path parent_ = fs::path(testing::TempDir()) / "nexa_replace_folder";
    fs::path folder_ = parent_ / "here";
};

INSTANTIATE_TEST_SUITE_P(Ways, ReplaceFolder, testing::Values(Swap::kBest, Swap::kTwoRenames));

TEST_P(ReplaceFolder, MakesThenReplacesAndLeavesNothingElse) {
    ASSERT_TRUE(replace_folder(folder_, writes("one"), GetParam()));
    EXPECT_EQ(content(), "one");
    ASSERT_TRUE(replace_folder(folder_, writes("two"), GetParam()));
    EXPECT_EQ(content(), "two");
    EXPECT_EQ(entries(), 1);
}

TEST_P(ReplaceFolder, AFailedFillLeavesTheOldContent) {
    ASSERT_TRUE(replace_folder(folder_, writes("one"), GetParam()));
    const Status replaced = replace_folder(
        folder_,
        [](const fs::path&) -> Status { return Error::unavailable("disk full"); },
        GetParam()
    );
    ASSERT_FALSE(replaced);
    EXPECT_EQ(replaced.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(content(), "one");
    EXPECT_EQ(entries(), 1);
}

TEST_P(ReplaceFolder, ContentSetAsideByACrashComesBackAndIsReplaced) {
    ASSERT_TRUE(replace_folder(folder_, writes("one"), GetParam()));
    fs::rename(folder_, parent_ / ".here.old");
    ASSERT_TRUE(settle_folder(folder_));
    EXPECT_EQ(content(), "one");

    fs::rename(folder_, parent_ / ".here.old");
    ASSERT_FALSE(replace_folder(
        folder_,
        [](const fs::path&) -> Status { return Error::unavailable("disk full"); },
        GetParam()
    ));
    EXPECT_EQ(content(), "one");
}

TEST_P(ReplaceFolder, SweepsWhatCrashesLeaveAndKeepsOtherFiles) {
    ASSERT_TRUE(replace_folder(folder_, writes("one"), GetParam()));
    fs::create_directories(parent_ / ".a.new");
    fs::create_directories(parent_ / ".b.gone");
    fs::create_directories(parent_ / ".here.old");
    fs::create_directories(parent_ / ".lost.old");
    fs::create_directories(parent_ / "other.new");
    sweep_leftovers(parent_);
    EXPECT_FALSE(fs::exists(parent_ / ".a.new"));
    EXPECT_FALSE(fs::exists(parent_ / ".b.gone"));
    EXPECT_FALSE(fs::exists(parent_ / ".here.old"));
    EXPECT_TRUE(fs::exists(parent_ / "lost"));
    EXPECT_TRUE(fs::exists(parent_ / "other.new"));
    EXPECT_EQ(content(), "one");
}

TEST_P(ReplaceFolder, DroppedIsGone) {
    ASSERT_TRUE(replace_folder(folder_, writes("one"), GetParam()));
    ASSERT_TRUE(drop_folder(folder_));
    EXPECT_EQ(entries(), 0);
    EXPECT_FALSE(drop_folder(folder_));
}

}  // namespace
}  // namespace nexa::training
