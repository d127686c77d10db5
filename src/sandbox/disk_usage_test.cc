// SPDX-License-Identifier: Apache-2.0
#include "sandbox/disk_usage_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "core/file.h"

namespace nexa::sandbox {
namespace {

namespace fs = std::filesystem;

class DiskUsageTest : public testing::Test {
protected:
    void write(const std::string& name, std::size_t bytes) {
        ASSERT_TRUE(write_file_atomically(folder.path() / name, std::string(bytes, 'x')));
    }
    DiskUsage measure(const WalkBounds& bounds = {}) {
        return measure_folder(folder.path(), bounds).value();
    }

    TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
};

TEST_F(DiskUsageTest, CountsBlocksOfAllFilesBelowAndHardLinksOnce) {
    ASSERT_TRUE(fs::create_directories(folder.path() / "a/b"));
    const std::uint64_t folders = measure().bytes;
    write("one", 8192);
    write("a/b/two", 1);
    EXPECT_EQ(measure().bytes - folders, 8192U + 4096U);
    fs::create_hard_link(folder.path() / "one", folder.path() / "a/again");
    EXPECT_EQ(measure().bytes - folders, 8192U + 4096U);
    EXPECT_EQ(measure().entries, 5U);
}

TEST_F(DiskUsageTest, NeitherFollowsLinksNorCountsHoles) {
    fs::create_directory_symlink("/usr", folder.path() / "link");
    write("sparse", 0);
    fs::resize_file(folder.path() / "sparse", std::uintmax_t{1} << 40U);
    EXPECT_LT(measure().bytes, 10'000U);
    EXPECT_EQ(measure().entries, 2U);
}

TEST_F(DiskUsageTest, StopsAtItsBoundsAndSaysSo) {
    for (int i = 0; i < 10; ++i) {
        write(std::to_string(i), 1);
    }
    EXPECT_EQ(measure({.entries_max = 10}).exceeded, "");
    EXPECT_EQ(measure({.entries_max = 9}).exceeded, "more than 9 files");
    ASSERT_TRUE(fs::create_directories(folder.path() / "a/b/c"));
    EXPECT_EQ(measure({.depth_max = 4}).exceeded, "");
    EXPECT_EQ(measure({.depth_max = 3}).exceeded, "folders more than 3 deep");
}

TEST_F(DiskUsageTest, AMissingFolderIsAnError) {
    EXPECT_EQ(measure_folder(folder.path() / "none", {}).error().code, ErrorCode::kNotFound);
}

TEST_F(DiskUsageTest, FindsFilesThatAreDeletedButOpen) {
    write("gone", 100'000);
    const UniqueFd open_file(open((folder.path() / "gone").c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd again(dup(open_file.get()));
    ProcessEntry self;
    self.pid = getpid();
    EXPECT_EQ(measure_deleted_files(folder.path(), std::array{self}, {}), 0U);
    ASSERT_EQ(unlink((folder.path() / "gone").c_str()), 0);
    EXPECT_EQ(measure_deleted_files(folder.path(), std::array{self}, {}), 102'400U);
}

}  // namespace
}  // namespace nexa::sandbox
