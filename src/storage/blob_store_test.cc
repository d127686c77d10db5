// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_store.h"

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "fakes/tiny_disk.h"

namespace nexa::storage {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kAny{std::int64_t{1} << 40U};

std::string random_bytes(std::size_t size, std::uint64_t seed = 1) {
    fakes::SeededRandom random(seed);
    std::string bytes(size, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

/// Gives `bytes` in pieces of three, then fails if asked to.
class HaltingSource final : public ByteSource {
public:
    HaltingSource(std::string bytes, bool fails) : bytes_(std::move(bytes)), fails_(fails) {}
    Result<std::size_t> read(std::span<char> room) override {
        if (at_ == bytes_.size() && fails_) {
            return Error::deadline_exceeded("the sender is silent");
        }
        const std::size_t got = std::min({room.size(), std::size_t{3}, bytes_.size() - at_});
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), got, room.begin());
        at_ += got;
        return got;
    }

private:
    std::string bytes_;
    bool fails_;
    std::size_t at_ = 0;
};

class BlobStoreTest : public ::testing::Test {
protected:
    BlobStoreTest() { reopen(); }

    void reopen(const BlobStoreOptions& options = {.reserve = Bytes(0)}) {
        store_.reset();
        auto opened = BlobStore::open(root(), options);
        ASSERT_TRUE(opened) << opened.error().to_string();
        store_ = std::move(*opened);
    }
    fs::path root() const { return folder_.path() / "root"; }
    fs::path place(const Sha256Digest& digest) const {
        return root() / "blobs/sha256" / digest.hex().substr(0, 2) / digest.hex();
    }
    /// Regular files in a folder below the root and all that it holds.
    std::size_t files_in(const char* name) const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(root() / name)) {
            count += entry.is_regular_file() ? 1 : 0;
        }
        return count;
    }
    void damage(const Sha256Digest& digest, std::string_view bytes) const {
        ASSERT_EQ(::chmod(place(digest).c_str(), 0600), 0);
        std::ofstream(place(digest), std::ios::binary | std::ios::trunc) << bytes;
    }

    fakes::TempFolder folder_;
    std::unique_ptr<BlobStore> store_;
};

TEST_F(BlobStoreTest, KeepsBytesUnderTheirHash) {
    const BlobInfo blob = store_->put("hello").value();
    EXPECT_EQ(blob.digest, sha256("hello"));
    EXPECT_EQ(blob.size, Bytes(5));
    EXPECT_EQ(
        store_->path_of(blob.digest).value().native(),
        root() / "blobs/sha256/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
    EXPECT_EQ(store_->read(blob.digest, kAny).value(), "hello");
    EXPECT_EQ(store_->size(blob.digest).value(), Bytes(5));
    EXPECT_TRUE(store_->exists(blob.digest));
    EXPECT_TRUE(store_->verify(blob.digest));
}

TEST_F(BlobStoreTest, KeepsEmptyAndLargeBlobs) {
    EXPECT_EQ(store_->read(store_->put("").value().digest, kAny).value(), "");
    const std::string large = random_bytes((std::size_t{3} << 20U) + 17);
    MemorySource source(large);
    const BlobInfo blob = store_->put(source).value();
    EXPECT_EQ(blob.digest, sha256(large));
    EXPECT_EQ(store_->read(blob.digest, kAny).value(), large);
    std::string streamed;
    EXPECT_TRUE(store_->stream(blob.digest, [&](std::string_view piece) {
        streamed += piece;
        return Status();
    }));
    EXPECT_EQ(streamed, large);
}

TEST_F(BlobStoreTest, TheSameBytesTwiceAreOneBlobThatNobodyMayWrite) {
    const BlobInfo first = store_->put("twice").value();
    HaltingSource source("twice", false);
    EXPECT_EQ(store_->put(source).value(), first);
    EXPECT_EQ(store_->put("twice").value(), first);
    EXPECT_EQ(files_in("blobs"), 1U);
    EXPECT_EQ(store_->total_bytes().value(), Bytes(5));
    struct stat status{};
    ASSERT_EQ(::stat(place(first.digest).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0222U, 0U);
    EXPECT_EQ(status.st_nlink, 1U);
}

TEST_F(BlobStoreTest, SurvivesReopening) {
    const BlobInfo blob = store_->put("kept").value();
    reopen();
    EXPECT_EQ(store_->read(blob.digest, kAny).value(), "kept");
}

TEST_F(BlobStoreTest, ExpectedBytesAreTakenAndOthersRefusedWithoutATrace) {
    HaltingSource good("right bytes", false);
    EXPECT_TRUE(store_->put_expected(sha256("right bytes"), good));
    HaltingSource bad("wrong bytes", false);
    const auto refused = store_->put_expected(sha256("expected"), bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kDataLoss);
    EXPECT_NE(refused.error().message.find(sha256("expected").prefixed()), std::string::npos);
    EXPECT_FALSE(store_->exists(sha256("wrong bytes")));
    EXPECT_FALSE(store_->exists(sha256("expected")));
    EXPECT_EQ(files_in("blobs"), 1U);
}

TEST_F(BlobStoreTest, ASourceThatFailsLeavesNothing) {
    HaltingSource source("half of it", true);
    const auto refused = store_->put(source);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kDeadlineExceeded);
    EXPECT_EQ(files_in("blobs"), 0U);
}

TEST_F(BlobStoreTest, AMissingBlobIsNotFound) {
    const Sha256Digest digest = sha256("nowhere");
    EXPECT_EQ(store_->read(digest, kAny).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->open_blob(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->size(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->path_of(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->verify(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store_->remove(digest).error().code, ErrorCode::kNotFound);
    EXPECT_FALSE(store_->exists(digest));
}

TEST_F(BlobStoreTest, ReadsAnyRange) {
    const BlobReader blob = store_->open_blob(store_->put("0123456789").value().digest).value();
    EXPECT_EQ(blob.info().size, Bytes(10));
    const auto range = [&](std::uint64_t offset, std::size_t size) {
        std::string room(size, '-');
        room.resize(blob.read_at(offset, room).value());
        return room;
    };
    EXPECT_EQ(range(0, 3), "012");
    EXPECT_EQ(range(7, 3), "789");
    EXPECT_EQ(range(7, 100), "789");
    EXPECT_EQ(range(10, 1), "");
    EXPECT_EQ(range(UINT64_MAX, 1), "");
    EXPECT_EQ(range(0, 0), "");
}

TEST_F(BlobStoreTest, ReadsNoMoreThanAskedFor) {
    const BlobInfo blob = store_->put("12345").value();
    EXPECT_TRUE(store_->read(blob.digest, Bytes(5)));
    EXPECT_EQ(store_->read(blob.digest, Bytes(4)).error().code, ErrorCode::kResourceExhausted);
}

TEST_F(BlobStoreTest, DamagedBlobsAreNamedAndPutAside) {
    for (const std::string_view bytes : {"hellO", "hell", "", "hello!"}) {
        const BlobInfo blob = store_->put("hello").value();
        damage(blob.digest, bytes);
        const auto refused = store_->read(blob.digest, kAny);
        ASSERT_FALSE(refused) << bytes;
        EXPECT_EQ(refused.error().code, ErrorCode::kDataLoss);
        EXPECT_NE(refused.error().message.find(blob.digest.prefixed()), std::string::npos);
        EXPECT_FALSE(store_->exists(blob.digest));
        EXPECT_TRUE(fs::exists(root() / "blobs/quarantine" / blob.digest.hex()));
        // Put again it is whole.
        EXPECT_EQ(store_->read(store_->put("hello").value().digest, kAny).value(), "hello");
    }
}

TEST_F(BlobStoreTest, VerifyFindsDamageAndPutReplacesATruncatedBlob) {
    const BlobInfo blob = store_->put("hello").value();
    damage(blob.digest, "hellO");
    EXPECT_EQ(store_->verify(blob.digest).error().code, ErrorCode::kDataLoss);
    ASSERT_TRUE(store_->put("hello"));
    damage(blob.digest, "he");
    ASSERT_TRUE(store_->put("hello"));
    EXPECT_EQ(store_->read(blob.digest, kAny).value(), "hello");
}

TEST_F(BlobStoreTest, ASinkThatRefusesStopsTheStream) {
    const BlobInfo blob = store_->put("hello").value();
    const Status stopped = store_->stream(blob.digest, [](std::string_view) -> Status {
        return Error::cancelled("enough");
    });
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(store_->exists(blob.digest));
}

TEST_F(BlobStoreTest, ARemovedBlobStaysReadableToWhoHasItOpen) {
    const BlobInfo blob = store_->put("hello").value();
    const BlobReader reader = store_->open_blob(blob.digest).value();
    EXPECT_TRUE(store_->remove(blob.digest));
    EXPECT_FALSE(store_->exists(blob.digest));
    std::string room(5, '-');
    EXPECT_EQ(reader.read_at(0, room).value(), 5U);
    EXPECT_EQ(room, "hello");
}

TEST_F(BlobStoreTest, ListsInTheOrderOfDigestsUntilToldToStop) {
    Bytes total;
    for (int i = 0; i < 100; ++i) {
        total += store_->put("blob " + std::to_string(i)).value().size;
    }
    fs::create_directories(root() / "blobs/sha256/00");
    std::ofstream(root() / "blobs/sha256/00/no-blob") << "x";
    std::vector<Sha256Digest> seen;
    EXPECT_TRUE(store_->list([&](const BlobInfo& blob) {
        seen.push_back(blob.digest);
        return true;
    }));
    EXPECT_EQ(seen.size(), 100U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(store_->total_bytes().value(), total);
    int calls = 0;
    EXPECT_TRUE(store_->list([&](const BlobInfo&) { return ++calls < 3; }));
    EXPECT_EQ(calls, 3);
}

TEST_F(BlobStoreTest, HoldsItsQuotaToTheByte) {
    reopen({.quota = Bytes(10), .reserve = Bytes(0)});
    const BlobInfo six = store_->put("sixsix").value();
    const auto refused = store_->put("fiver");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    EXPECT_NE(refused.error().message.find("6 of 10 bytes"), std::string::npos);
    EXPECT_EQ(files_in("blobs"), 1U);
    EXPECT_TRUE(store_->put("four"));
    EXPECT_TRUE(store_->put("four"));  // is there already, costs nothing
    HaltingSource again("sixsix", false);
    EXPECT_EQ(store_->put(again).error().code, ErrorCode::kResourceExhausted);
    EXPECT_TRUE(store_->remove(six.digest));
    EXPECT_TRUE(store_->put("fiver+"));

    reopen({.quota = Bytes(10), .reserve = Bytes(0)});
    EXPECT_FALSE(store_->put("x"));
    EXPECT_TRUE(store_->put(""));
}

TEST_F(BlobStoreTest, RefusedAndRepeatedPutsGiveTheirQuotaBack) {
    reopen({.quota = Bytes(10), .reserve = Bytes(0)});
    for (int i = 0; i < 5; ++i) {
        HaltingSource fails("eight888", true);
        EXPECT_FALSE(store_->put(fails));
        HaltingSource other("eight888", false);
        EXPECT_FALSE(store_->put_expected(sha256("x"), other));
        HaltingSource same("five5", false);
        EXPECT_TRUE(store_->put(same));
    }
    const Sha256Digest damaged = sha256("five5");
    damage(damaged, "FIVE5");
    EXPECT_FALSE(store_->read(damaged, kAny));
    EXPECT_TRUE(store_->put("ten1234567"));
}

TEST_F(BlobStoreTest, KeepsItsReserveOfTheDisk) {
    const auto available = static_cast<std::int64_t>(available_bytes(root()).value());
    reopen({.reserve = Bytes(available * 2)});
    const auto refused = store_->put("x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(refused.error().message.find("disk full"), std::string::npos);
    EXPECT_EQ(files_in("blobs"), 0U);
}

TEST_F(BlobStoreTest, AFullDiskLeavesNothingAndWhatWasThereStays) {
    const auto result = fakes::on_tiny_disk(root(), 1 << 20U, [&] {
        auto store = BlobStore::open(root(), {.reserve = Bytes(0)}).value();
        const BlobInfo kept = store->put("kept").value();
        // The free bytes are asked for in pieces, so only writing finds some disks full.
        const auto refused = store->put(random_bytes(std::size_t{4} << 20U));
        if (refused || refused.error().code != ErrorCode::kUnavailable) {
            return "a blob larger than the disk was not refused";
        }
        if (refused.error().message.find("disk full") == std::string::npos) {
            return "the message does not say that the disk is full";
        }
        if (!fs::is_empty(root() / "blobs/tmp")) {
            return "a part was left";
        }
        const bool is_well =
            store->read(kept.digest, kAny).value() == "kept" && store->put("small");
        return is_well ? "ok" : "what was there is lost";
    });
    if (!result) {
        GTEST_SKIP() << result.error().to_string();
    }
    EXPECT_EQ(*result, "ok");
}

TEST_F(BlobStoreTest, WhatACrashLeftIsCleanedAndWhatLivesIsNot) {
    std::ofstream(root() / "blobs/tmp/abandoned") << "half";
    const fs::path held = root() / "blobs/tmp/held";
    std::ofstream(held) << "being written";
    const UniqueFd lock(::open(held.c_str(), O_RDONLY));
    ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
    reopen();
    EXPECT_FALSE(fs::exists(root() / "blobs/tmp/abandoned"));
    EXPECT_TRUE(fs::exists(held));
}

TEST_F(BlobStoreTest, ManyWritersOfTheSameAndOtherBytesDoNotDisturbEachOther) {
    reopen({.quota = Bytes(1 << 20), .reserve = Bytes(0)});
    const std::string shared = random_bytes(100'000);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 10; ++i) {
                    HaltingSource source(std::string(shared.substr(0, 999)), false);
                    EXPECT_TRUE(store_->put(source));
                    const std::string own = std::to_string(t * 100 + i);
                    EXPECT_EQ(store_->read(store_->put(own)->digest, kAny).value(), own);
                    EXPECT_TRUE(store_->put(shared));
                    EXPECT_EQ(store_->read(sha256(shared), kAny).value(), shared);
                }
            });
        }
    }
    EXPECT_EQ(files_in("blobs/tmp"), 0U);
    EXPECT_EQ(files_in("blobs/sha256"), 82U);
    // The counter agrees with the disk: what is left fits, one byte more does not.
    const std::int64_t left = (1 << 20) - store_->total_bytes()->value();
    EXPECT_FALSE(store_->put(random_bytes(static_cast<std::size_t>(left) + 1, 2)));
    EXPECT_TRUE(store_->put(random_bytes(static_cast<std::size_t>(left), 3)));
}

TEST_F(BlobStoreTest, ASymbolicLinkIsNoBlob) {
    const Sha256Digest digest = sha256("linked");
    std::ofstream(folder_.path() / "outside") << "linked";
    fs::create_directories(place(digest).parent_path());
    fs::create_symlink(folder_.path() / "outside", place(digest));
    EXPECT_FALSE(store_->exists(digest));
    EXPECT_FALSE(store_->open_blob(digest));
}

TEST(BlobStore, CannotBeOpenedWhereAFileIs) {
    const fakes::TempFolder folder;
    std::ofstream(folder.path() / "file") << "x";
    EXPECT_FALSE(BlobStore::open(folder.path() / "file"));
    EXPECT_FALSE(BlobStore::open(folder.path() / "file" / "below"));
}

}  // namespace
}  // namespace nexa::storage
