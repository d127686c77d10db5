// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_uploads.h"

#include <array>
#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"

namespace nexa::storage {
namespace {

namespace fs = std::filesystem;

class BlobUploadsTest : public ::testing::Test {
protected:
    BlobUploadsTest() { reopen({.reserve = Bytes(0)}); }

    void reopen(const BlobStoreOptions& options) {
        store_ = BlobStore::open(folder_.path(), options).value();
        uploads_ = std::make_unique<BlobUploads>(*store_, random_, BlobUploadOptions{4});
    }
    std::string begin(std::string_view bytes) {
        return uploads_->begin(sha256(bytes), Bytes(static_cast<std::int64_t>(bytes.size())))
            .value();
    }
    fs::path file_of(const std::string& token) const {
        return folder_.path() / "blobs/uploads" / token;
    }
    ErrorCode code_of_append(const std::string& token, std::int64_t offset, const char* part) {
        return uploads_->append(token, Bytes(offset), part).error().code;
    }

    fakes::TempFolder folder_;
    fakes::SeededRandom random_;
    std::unique_ptr<BlobStore> store_;
    std::unique_ptr<BlobUploads> uploads_;
};

TEST_F(BlobUploadsTest, PartsBecomeABlob) {
    const std::string token = begin("hello world");
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(0));
    EXPECT_EQ(uploads_->append(token, Bytes(0), "hello").value(), Bytes(5));
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(5));
    EXPECT_EQ(uploads_->append(token, Bytes(5), "").value(), Bytes(5));
    EXPECT_EQ(uploads_->append(token, Bytes(5), " world").value(), Bytes(11));
    const BlobInfo blob = uploads_->commit(token).value();
    EXPECT_EQ(blob.digest, sha256("hello world"));
    EXPECT_EQ(store_->read(blob.digest, Bytes(100)).value(), "hello world");
    struct stat status{};
    ASSERT_EQ(::stat(store_->path_of(blob.digest)->c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0440U);
    EXPECT_EQ(status.st_nlink, 1U);
    EXPECT_EQ(uploads_->offset(token).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(uploads_->commit(token).error().code, ErrorCode::kNotFound);
}

TEST_F(BlobUploadsTest, AnEmptyBlobNeedsNoPart) {
    EXPECT_EQ(uploads_->commit(begin("")).value().digest, sha256(""));
}

TEST_F(BlobUploadsTest, GoOnAfterARestart) {
    const std::string token = begin("hello world");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hello"));
    reopen({.reserve = Bytes(0)});
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(5));
    ASSERT_TRUE(uploads_->append(token, Bytes(5), " world"));
    EXPECT_TRUE(uploads_->commit(token));
}

TEST_F(BlobUploadsTest, APartGoesOnlyWhereTheLastOneEnded) {
    const std::string token = begin("hello world");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hello"));
    for (const std::int64_t offset : {0, 4, 6, 11, 12, -1}) {
        const auto refused = uploads_->append(token, Bytes(offset), " ");
        ASSERT_FALSE(refused) << offset;
        EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
        EXPECT_EQ(refused.error().param, "offset");
    }
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(5));
}

TEST_F(BlobUploadsTest, NoMoreBytesThanAnnounced) {
    const std::string token = begin("hello");
    EXPECT_EQ(code_of_append(token, 0, "hello!"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(0));
    EXPECT_TRUE(uploads_->append(token, Bytes(0), "hello"));
    EXPECT_EQ(code_of_append(token, 5, "!"), ErrorCode::kInvalidArgument);
}

TEST_F(BlobUploadsTest, AnIncompleteOneIsNotCommitted) {
    const std::string token = begin("hello");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hell"));
    EXPECT_EQ(uploads_->commit(token).error().code, ErrorCode::kConflict);
    ASSERT_TRUE(uploads_->append(token, Bytes(4), "o"));
    EXPECT_TRUE(uploads_->commit(token));
}

TEST_F(BlobUploadsTest, OtherBytesThanTheDigestsLeaveNothing) {
    const std::string token = begin("hello");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hellO"));
    EXPECT_EQ(uploads_->commit(token).error().code, ErrorCode::kDataLoss);
    EXPECT_FALSE(store_->exists(sha256("hello")));
    EXPECT_FALSE(store_->exists(sha256("hellO")));
    EXPECT_FALSE(fs::exists(file_of(token)));
}

TEST_F(BlobUploadsTest, ABlobThatIsThereAlreadyIsNoError) {
    ASSERT_TRUE(store_->put("hello"));
    const std::string token = begin("hello");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hello"));
    EXPECT_TRUE(uploads_->commit(token));
    EXPECT_EQ(store_->total_bytes().value(), Bytes(5));
}

TEST_F(BlobUploadsTest, AbortLeavesNothing) {
    const std::string token = begin("hello");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "hell"));
    EXPECT_TRUE(uploads_->abort(token));
    EXPECT_FALSE(fs::exists(file_of(token)));
    EXPECT_EQ(uploads_->abort(token).error().code, ErrorCode::kNotFound);
}

TEST_F(BlobUploadsTest, TokensAreChecked) {
    const std::string token = begin("hello");
    std::string other_chance = token;
    other_chance[0] = token[0] == '0' ? '1' : '0';
    EXPECT_EQ(uploads_->offset(other_chance).error().code, ErrorCode::kNotFound);
    for (const std::string& text :
         {std::string(),
          std::string("x"),
          token.substr(1),
          "../" + token,
          token + "/",
          token + " ",
          token.substr(0, 98) + "05",
          token.substr(0, 98) + "-5",
          token.substr(0, 98),
          token.substr(0, 98) + "99999999999999999999",
          std::string(5000, '0')}) {
        EXPECT_EQ(uploads_->offset(text).error().code, ErrorCode::kMalformed) << text;
    }
    EXPECT_NE(begin("hello"), token);
}

TEST_F(BlobUploadsTest, AreLimitedInNumberAndSize) {
    EXPECT_EQ(uploads_->begin(sha256(""), Bytes(-1)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(uploads_->begin(sha256(""), Bytes(INT64_MAX)).error().code, ErrorCode::kUnavailable);
    const std::string first = begin("x");
    for (int i = 0; i < 3; ++i) {
        begin("x");
    }
    EXPECT_EQ(uploads_->begin(sha256(""), Bytes(0)).error().code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(uploads_->abort(first));
    EXPECT_TRUE(uploads_->begin(sha256(""), Bytes(0)));
}

TEST_F(BlobUploadsTest, CountAgainstTheQuotaUntilTheyEnd) {
    const BlobStoreOptions options{.quota = Bytes(10), .reserve = Bytes(0)};
    reopen(options);
    EXPECT_EQ(uploads_->begin(sha256(""), Bytes(11)).error().code, ErrorCode::kResourceExhausted);
    const std::string token = begin("sixsix");
    ASSERT_TRUE(uploads_->append(token, Bytes(0), "six"));
    EXPECT_FALSE(store_->put("eight888"));
    reopen(options);
    EXPECT_FALSE(store_->put("eight888"));
    ASSERT_TRUE(store_->put("seven77"));
    EXPECT_EQ(code_of_append(token, 3, "six"), ErrorCode::kResourceExhausted);
    EXPECT_EQ(uploads_->offset(token).value(), Bytes(3));
    ASSERT_TRUE(store_->remove(sha256("seven77")));
    ASSERT_TRUE(uploads_->append(token, Bytes(3), "six"));
    ASSERT_TRUE(uploads_->commit(token));
    EXPECT_FALSE(store_->put("fiver"));
    EXPECT_TRUE(store_->put("four"));
    // One that is there already, one that is wrong, one that is aborted: each gives all back.
    ASSERT_TRUE(store_->remove(sha256("sixsix")));
    for (const std::string_view bytes : {"four", "FOUR", "f"}) {
        const std::string again = begin("four");
        ASSERT_TRUE(uploads_->append(again, Bytes(0), bytes));
        if (bytes.size() == 4) {
            EXPECT_EQ(uploads_->commit(again).has_value(), bytes == "four");
        } else {
            EXPECT_TRUE(uploads_->abort(again));
        }
    }
    EXPECT_TRUE(store_->put("sixsix"));
    EXPECT_FALSE(store_->put("x"));
}

TEST_F(BlobUploadsTest, IdleOnesAreDroppedAndOthersKept) {
    const std::string old = begin("old");
    const std::string fresh = begin("fresh");
    const std::string busy = begin("busy");
    const auto set_time = [&](const std::string& token, std::int64_t seconds) {
        const std::array<timespec, 2> times{{{seconds, 0}, {seconds, 0}}};
        ASSERT_EQ(::utimensat(AT_FDCWD, file_of(token).c_str(), times.data(), 0), 0);
    };
    set_time(old, 999);
    set_time(fresh, 1000);
    set_time(busy, 999);
    const UniqueFd lock(::open(file_of(busy).c_str(), O_RDONLY));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
    EXPECT_EQ(uploads_->drop_idle(Timestamp(std::chrono::seconds(1000))).value(), 1U);
    EXPECT_FALSE(fs::exists(file_of(old)));
    EXPECT_TRUE(fs::exists(file_of(fresh)));
    EXPECT_TRUE(fs::exists(file_of(busy)));
    EXPECT_EQ(uploads_->append(busy, Bytes(0), "b").error().code, ErrorCode::kConflict);
}

TEST_F(BlobUploadsTest, OfManyWritersAtOnceEachByteIsTakenOnce) {
    std::string bytes;
    for (int i = 0; i < 400; ++i) {
        bytes += static_cast<char>('a' + i % 26);
    }
    const std::string token = begin(bytes);
    std::atomic<int> taken = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (std::size_t at = 0; at < bytes.size();) {
                    const auto part = bytes.substr(at, 1);
                    const auto now =
                        uploads_->append(token, Bytes(static_cast<std::int64_t>(at)), part);
                    taken += now ? 1 : 0;
                    // Refused: another was faster, or is just writing.
                    const auto offset = uploads_->offset(token);
                    at = offset ? static_cast<std::size_t>(offset->value()) : at;
                }
            });
        }
    }
    EXPECT_EQ(taken, 400);
    EXPECT_TRUE(uploads_->commit(token));
    EXPECT_EQ(store_->read(sha256(bytes), Bytes(1000)).value(), bytes);
}

}  // namespace
}  // namespace nexa::storage
