// SPDX-License-Identifier: Apache-2.0
#include "staging/file_stager.h"

#include <map>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/sha256.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"

namespace nexa::staging {
namespace {

namespace fs = std::filesystem;

class Text final : public net::BodySource {
public:
    explicit Text(std::string text) : text_(std::move(text)) {}
    net::Task<std::string> read() override { co_return std::exchange(text_, {}); }

private:
    std::string text_;
};

/// Removes the blob on the disk pool's one thread, right after it has been committed: it always
/// waits in the queue, in front of whatever comes after.
void remove_once_there(net::WorkPool& disk, storage::BlobStore& cache, Sha256Digest digest) {
    EXPECT_TRUE(disk.submit([&disk, &cache, digest] {
        if (!cache.remove(digest)) {
            remove_once_there(disk, cache, digest);
        }
    }));
}

class FileStagerTest : public testing::Test {
protected:
    /// Sends what `sent` says for the digest, else answers that there is no such blob.
    net::Task<net::HttpStream> open(Sha256Digest digest) {
        ++opened;
        const auto found = sent.find(digest.hex());
        if (found == sent.end()) {
            co_return Error::not_found("no such blob");
        }
        if (removals > 0) {
            --removals;
            remove_once_there(disk, *cache, digest);
        }
        co_return net::HttpStream{
            .head = {.status = 200}, .body = std::make_shared<Text>(found->second)
        };
    }
    protocol::InputFile file(const std::string& path, const std::string& content) {
        const Sha256Digest digest = sha256(content);
        sent[digest.hex()] = content;
        return {
            .path = path,
            .digest = fmt::format("{}", digest),
            .size = static_cast<std::int64_t>(content.size()),
        };
    }
    Status stage(std::vector<protocol::InputFile> files, const std::string& folder = "out") {
        return net::blocking::wait(
            io.serial_executor(),
            stager.stage(std::move(files), root.path() / folder, source.token())
        );
    }
    std::string text(const std::string& path) const {
        return read_file(root.path() / path, 1024).value_or("(none)");
    }

    fakes::TempFolder root;
    SystemClock clock;
    fakes::SeededRandom random{1};
    net::IoPool io;
    net::WorkPool disk{{.name = "disk", .threads = 1}};
    std::unique_ptr<storage::BlobStore> cache =
        storage::BlobStore::open(root.path() / "cache").value();
    std::map<std::string, std::string> sent;
    int opened = 0;
    int removals = 0;  ///< so many times what was fetched is gone before it is used
    CancelSource source;
    FileStager stager{{
        .open_blob = [this](Sha256Digest digest) { return open(digest); },
        .cache = *cache,
        .disk = disk,
        .clock = clock,
        .random = random,
    }};
};

TEST_F(FileStagerTest, FilesLieWhereTheListSays) {
    ASSERT_TRUE(stage({file("a.txt", "one"), file("deep/er/b.txt", ""), file("c", "one")}));
    EXPECT_EQ(text("out/a.txt"), "one");
    EXPECT_EQ(text("out/deep/er/b.txt"), "");
    EXPECT_EQ(text("out/c"), "one");
    EXPECT_EQ(opened, 2) << "equal bytes are fetched once";
}

TEST_F(FileStagerTest, WhatTheCacheHasIsNotFetchedAgain) {
    const auto files = std::vector{file("a.txt", "one")};
    ASSERT_TRUE(stage(files, "first"));
    sent.clear();
    ASSERT_TRUE(stage(files, "second"));
    EXPECT_EQ(text("second/a.txt"), "one");
    EXPECT_EQ(opened, 1);
}

TEST_F(FileStagerTest, ADamagedBlobOfTheCacheIsFetchedAgain) {
    const auto files = std::vector{file("a.txt", "one")};
    ASSERT_TRUE(stage(files, "first"));
    const fs::path blob = cache->path_of(sha256("one")).value();
    fs::permissions(blob, fs::perms::owner_write, fs::perm_options::add);
    ASSERT_TRUE(write_file_atomically(blob, "two"));
    ASSERT_TRUE(stage(files, "second"));
    EXPECT_EQ(text("second/a.txt"), "one");
    EXPECT_EQ(opened, 2);
}

TEST_F(FileStagerTest, ABlobThatIsRemovedBeforeItIsUsedIsFetchedAgain) {
    removals = 3;
    ASSERT_TRUE(stage({file("a.txt", "one")}));
    EXPECT_EQ(text("out/a.txt"), "one");
    EXPECT_EQ(opened, 4);
}

TEST_F(FileStagerTest, ABlobThatIsRemovedEachTimeIsGivenUp) {
    removals = 1000;
    const Status staged = stage({file("a.txt", "one")});
    ASSERT_FALSE(staged);
    EXPECT_EQ(staged.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(opened, 5);
}

TEST_F(FileStagerTest, OtherBytesThanTheHashSaysAreRefused) {
    const auto wanted = file("a.txt", "one");
    sent[sha256("one").hex()] = "two";
    const Status staged = stage({wanted});
    ASSERT_FALSE(staged);
    EXPECT_EQ(staged.error().code, ErrorCode::kDataLoss);
    EXPECT_EQ(text("out/a.txt"), "(none)");
    EXPECT_FALSE(cache->exists(sha256("one")));
}

TEST_F(FileStagerTest, AFileOfAnotherSizeIsRefused) {
    auto wanted = file("a.txt", "one");
    ASSERT_TRUE(stage({wanted}, "first"));
    wanted.size = 4;
    EXPECT_EQ(stage({wanted}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(FileStagerTest, ABlobThatNobodyHasIsNamed) {
    const auto wanted = file("a.txt", "one");
    sent.clear();
    const Status staged = stage({wanted});
    ASSERT_FALSE(staged);
    EXPECT_EQ(staged.error().code, ErrorCode::kNotFound);
    EXPECT_NE(staged.error().to_string().find("a.txt"), std::string::npos);
}

TEST_F(FileStagerTest, NothingLeavesTheFolder) {
    for (const char* path : {"../a", "/a", "a/../../b", "", "a//b"}) {
        EXPECT_EQ(stage({file(path, "x")}).error().code, ErrorCode::kInvalidArgument) << path;
    }
    EXPECT_EQ(opened, 0);
}

TEST_F(FileStagerTest, AListThatCannotBeIsRefusedBeforeAnythingIsFetched) {
    auto negative = file("b", "x");
    negative.size = -1;
    auto no_digest = file("b", "x");
    no_digest.digest = "md5:1";
    for (const auto& bad : {negative, no_digest, file("a", "y")}) {
        EXPECT_EQ(stage({file("a", "x"), bad}).error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_EQ(opened, 0);
}

TEST_F(FileStagerTest, CancelledStagingStops) {
    source.cancel();
    EXPECT_EQ(stage({file("a", "x")}).error().code, ErrorCode::kCancelled);
    EXPECT_EQ(opened, 0);
}

}  // namespace
}  // namespace nexa::staging
