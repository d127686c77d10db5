// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace nexa {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryDirectory::create(fs::temp_directory_path());
        ASSERT_TRUE(made) << made.error().to_string();
        folder = made->release();
    }
    void TearDown() override { EXPECT_TRUE(remove_tree(folder)); }

    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(folder)) {
            found.push_back(entry.path().filename());
        }
        return found;
    }

    fs::path folder;
};

TEST_F(FileTest, ReadsBackWhatWasWrittenAtTheGivenMode) {
    const std::string bytes("a\0b\n", 4);
    ASSERT_TRUE(write_file_atomically(folder / "x", bytes, 0640));
    EXPECT_EQ(read_file(folder / "x", 4).value(), bytes);
    EXPECT_EQ(fs::status(folder / "x").permissions(), fs::perms(0640));
    ASSERT_TRUE(write_file_atomically(folder / "x", "", 0600));
    EXPECT_EQ(read_file(folder / "x", 0).value(), "");
    EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(FileTest, RefusesAFileOneByteOverTheLimit) {
    ASSERT_TRUE(write_file_atomically(folder / "x", std::string(5000, 'x')));
    EXPECT_TRUE(read_file(folder / "x", 5000));
    const auto refused = read_file(folder / "x", 4999);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("4999"), std::string::npos);
}

TEST_F(FileTest, ReadsLargeFilesAndFilesThatSaySizeZero) {
    const std::string large(std::size_t{9} << 20U, 'z');
    ASSERT_TRUE(write_file_atomically(folder / "large", large));
    EXPECT_EQ(read_file(folder / "large", large.size()).value(), large);
    EXPECT_GT(read_file("/proc/self/status", 1 << 16).value().size(), 100U);
    EXPECT_FALSE(read_file("/proc/self/status", 10));
}

TEST_F(FileTest, RefusesWhatIsNoRegularFileWithoutBlocking) {
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(read_file(folder / "fifo", 10).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(read_file(folder, 10).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(read_file("/dev/zero", 10).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(read_file(folder / "none", 10).error().code, ErrorCode::kNotFound);
}

TEST_F(FileTest, AFailedWriteLeavesTheOldContentAndNothingBeside) {
    ASSERT_TRUE(fs::create_directory(folder / "taken"));
    EXPECT_EQ(
        write_file_atomically(folder / "taken", "x").error().code, ErrorCode::kInvalidArgument
    );
    EXPECT_EQ(write_file_atomically(folder / "none/x", "x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(write_file_atomically(folder / "", "x").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(names(), std::vector<std::string>{"taken"});
}

TEST_F(FileTest, AFullDiskIsUnavailableNamesThePathAndLeavesNothing) {
    const fs::path small = folder / "small";
    ASSERT_TRUE(fs::create_directory(small));
    if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=64k") != 0) {
        GTEST_SKIP() << "mounting a tmpfs needs root";
    }
    ASSERT_TRUE(write_file_atomically(small / "x", "old"));
    const auto full = write_file_atomically(small / "x", std::string(1 << 20, 'x'));
    const auto content = read_file(small / "x", 100);
    const auto entries = std::distance(fs::directory_iterator(small), fs::directory_iterator());
    const auto left = available_bytes(small);
    umount(small.c_str());

    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(full.error().message.find("disk full"), std::string::npos);
    EXPECT_NE(full.error().message.find((small / "x").string()), std::string::npos);
    EXPECT_EQ(content.value(), "old");
    EXPECT_EQ(entries, 1);
    EXPECT_EQ(left.value(), 60 * 1024U);
}

TEST_F(FileTest, AFileSizeLimitIsAnErrorAndLeavesNothing) {
    rlimit old{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit low{.rlim_cur = 1000, .rlim_max = old.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
    const auto refused = write_file_atomically(folder / "x", std::string(5000, 'x'));
    setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(names().empty());
}

TEST_F(FileTest, ConcurrentWritersLeaveOneWholeFile) {
    std::vector<std::thread> writers;
    for (char c = 'a'; c < 'i'; ++c) {
        writers.emplace_back([this, c] {
            for (int i = 0; i < 20; ++i) {
                EXPECT_TRUE(write_file_atomically(folder / "x", std::string(10'000, c)));
            }
        });
    }
    for (auto& writer : writers) {
        writer.join();
    }
    const std::string bytes = read_file(folder / "x", 10'000).value();
    EXPECT_EQ(bytes, std::string(10'000, bytes[0]));
    EXPECT_EQ(names(), std::vector<std::string>{"x"});
}

TEST_F(FileTest, ReplacesASymbolicLinkInsteadOfFollowingIt) {
    ASSERT_TRUE(write_file_atomically(folder / "target", "keep"));
    fs::create_symlink("target", folder / "link");
    ASSERT_TRUE(write_file_atomically(folder / "link", "new"));
    EXPECT_EQ(read_file(folder / "target", 10).value(), "keep");
    EXPECT_FALSE(fs::is_symlink(folder / "link"));
}

TEST_F(FileTest, FoldersAreMadeWithThoseAboveAndAgain) {
    ASSERT_TRUE(make_folders(folder / "a/b/c"));
    EXPECT_TRUE(make_folders(folder / "a/b/c"));
    EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
    fs::permissions(folder / "a/b", fs::perms::all);
    ASSERT_TRUE(make_private_folder(folder / "a/b"));
    EXPECT_EQ(fs::status(folder / "a/b").permissions(), fs::perms::owner_all);
    ASSERT_TRUE(write_file_atomically(folder / "file", "x"));
    const Status refused = make_folders(folder / "file/b");
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(refused.error().message.find("file/b"), std::string::npos);
    EXPECT_FALSE(make_folders(folder / "file"));
}

TEST_F(FileTest, RemoveTreeTakesLockedFoldersAndSparesWhatLinksPointTo) {
    ASSERT_TRUE(fs::create_directories(folder / "tree/locked/deep"));
    ASSERT_TRUE(write_file_atomically(folder / "kept", "x"));
    fs::create_symlink(folder / "kept", folder / "tree/locked/link");
    ASSERT_EQ(chmod((folder / "tree/locked").c_str(), 0), 0);
    EXPECT_TRUE(remove_tree(folder / "tree"));
    EXPECT_TRUE(remove_tree(folder / "tree"));
    EXPECT_EQ(names(), std::vector<std::string>{"kept"});
}

TEST_F(FileTest, ATemporaryDirectoryGoesWithItsOwner) {
    fs::path path;
    {
        auto temporary = TemporaryDirectory::create(folder, "t-").value();
        TemporaryDirectory moved = std::move(temporary);
        path = moved.path();
        EXPECT_EQ(fs::status(path).permissions(), fs::perms(0700));
        ASSERT_TRUE(write_file_atomically(path / "x", "x"));
    }
    EXPECT_FALSE(fs::exists(path));
    EXPECT_EQ(TemporaryDirectory::create(folder / "none").error().code, ErrorCode::kNotFound);
}

TEST(UniqueFd, ClosesOnceAndMoves) {
    Pipe pipe = make_pipe().value();
    const int fd = pipe.read_end.get();
    UniqueFd moved = std::move(pipe.read_end);
    EXPECT_FALSE(pipe.read_end);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    moved.reset();
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST(WaitReadable, SeesDataEndsAndDeadlines) {
    constexpr std::chrono::steady_clock::time_point kPast;
    Pipe pipe = make_pipe().value();
    EXPECT_FALSE(wait_readable(pipe.read_end.get(), std::chrono::milliseconds(1)).value());
    EXPECT_FALSE(wait_readable(pipe.read_end.get(), kPast).value());
    ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
    EXPECT_TRUE(wait_readable(pipe.read_end.get(), kPast).value());
    Pipe closed = make_pipe().value();
    closed.write_end.reset();
    EXPECT_TRUE(
        wait_readable(closed.read_end.get(), std::chrono::steady_clock::time_point::max()).value()
    );
}

}  // namespace
}  // namespace nexa
