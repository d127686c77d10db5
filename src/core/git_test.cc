// SPDX-License-Identifier: Apache-2.0
#include "core/git.h"

#include <gtest/gtest.h>

#include "core/child_process.h"
#include "core/file.h"
#include "fakes/proves.h"

namespace nexa {
namespace {

namespace fs = std::filesystem;

class GitTest : public testing::Test {
protected:
    std::string git(std::vector<std::string> arguments) {
        arguments.insert(
            arguments.begin(), {"git", "-c", "user.name=T", "-c", "user.email=t@example.org"}
        );
        CaptureOptions options;
        options.working_directory = folder.path();
        const auto run = run_and_capture(arguments, options).value();
        EXPECT_TRUE(run.status.success()) << run.error_output;
        return run.output.substr(0, run.output.find('\n'));
    }

    void commit_file(const std::string& text) {
        ASSERT_TRUE(write_file_atomically(folder.path() / "file", text));
        git({"add", "file"});
        git({"commit", "-q", "-m", "x"});
    }

    TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
};

TEST_F(GitTest, IsWhatRevParseSaysAlsoFromASubfolder) {
    NEXA_PROVES("A-15");
    git({"init", "-q"});
    commit_file("one");
    ASSERT_TRUE(fs::create_directory(folder.path() / "below"));
    const std::string head = git({"rev-parse", "HEAD"});
    EXPECT_EQ(get_git_commit(folder.path()).value(), (GitCommit{.hash = head, .dirty = false}));
    EXPECT_EQ(get_git_commit(folder.path() / "below").value().hash, head);
    commit_file("two");
    EXPECT_NE(get_git_commit(folder.path()).value().hash, head);
    git({"checkout", "-q", "--detach", head});
    EXPECT_EQ(get_git_commit(folder.path()).value().hash, head);
}

TEST_F(GitTest, IsDirtyByChangedAndStagedFilesNotByUntrackedOnes) {
    git({"init", "-q"});
    commit_file("one");
    ASSERT_TRUE(write_file_atomically(folder.path() / "new", "x"));
    EXPECT_FALSE(get_git_commit(folder.path()).value().dirty);
    git({"add", "new"});
    EXPECT_TRUE(get_git_commit(folder.path()).value().dirty);
    git({"reset", "-q"});
    EXPECT_FALSE(get_git_commit(folder.path()).value().dirty);
    ASSERT_TRUE(write_file_atomically(folder.path() / "file", "two"));
    EXPECT_TRUE(get_git_commit(folder.path()).value().dirty);
}

TEST_F(GitTest, KnowsLongHashes) {
    git({"init", "-q", "--object-format=sha256"});
    commit_file("one");
    EXPECT_EQ(get_git_commit(folder.path()).value().hash, git({"rev-parse", "HEAD"}));
}

TEST_F(GitTest, SaysSoOutsideARepositoryAndBeforeTheFirstCommit) {
    NEXA_PROVES("A-15");
    const auto outside = get_git_commit(folder.path());
    EXPECT_EQ(outside.error().code, ErrorCode::kNotFound);
    EXPECT_NE(outside.error().message.find("not inside a git working tree"), std::string::npos);
    git({"init", "-q"});
    const auto unborn = get_git_commit(folder.path());
    EXPECT_EQ(unborn.error().code, ErrorCode::kNotFound);
    EXPECT_NE(unborn.error().message.find("no commit yet"), std::string::npos);
    const auto inside = get_git_commit(folder.path() / ".git");
    EXPECT_EQ(inside.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(get_git_commit(folder.path() / "none").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(get_git_commit("/dev/null").error().code, ErrorCode::kNotFound);
}

TEST_F(GitTest, SaysSoWithoutGitAndWhenGitTalksNonsense) {
    NEXA_PROVES("A-15");
    GitOptions options;
    options.environment = {{"PATH", folder.path().string()}};
    const auto missing = get_git_commit(folder.path(), options);
    EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(missing.error().advice, "install git");
    const fs::path fake = folder.path() / "git";
    ASSERT_TRUE(write_file_atomically(fake, "#!/bin/sh\necho '# branch.oid xyz'\n", 0755));
    EXPECT_EQ(get_git_commit(folder.path(), options).error().code, ErrorCode::kUnavailable);
    ASSERT_TRUE(write_file_atomically(fake, "#!/bin/sh\nkill -9 $$\n", 0755));
    EXPECT_NE(
        get_git_commit(folder.path(), options).error().message.find("SIGKILL"), std::string::npos
    );
    ASSERT_TRUE(write_file_atomically(fake, "#!/bin/sh\nwhile :; do :; done\n", 0755));
    options.timeout = std::chrono::milliseconds(50);
    EXPECT_EQ(get_git_commit(folder.path(), options).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(GitTest, DoesNotTrustARepositoryThatGitDistrusts) {
    git({"init", "-q"});
    commit_file("one");
    GitOptions options;
    options.environment = {{"GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"}};
    EXPECT_EQ(get_git_commit(folder.path(), options).error().code, ErrorCode::kPermissionDenied);
}

TEST_F(GitTest, LeavesTheIndexAlone) {
    git({"init", "-q"});
    commit_file("one");
    const fs::path index = folder.path() / ".git/index";
    fs::last_write_time(folder.path() / "file", fs::file_time_type::clock::now());
    const std::string before = read_file(index, 1 << 20).value();
    EXPECT_FALSE(get_git_commit(folder.path()).value().dirty);
    EXPECT_EQ(read_file(index, 1 << 20).value(), before);
}

}  // namespace
}  // namespace nexa
