// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_vault.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/object_server.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "storage/bucket_client_internal.h"

namespace nexa::storage {
namespace {

/// A vault with all that it stands on: on a disk, or in a bucket of a real server.
struct Place {
    fakes::TempFolder folder;
    fakes::SeededRandom random;
    SystemClock clock;
    SystemSleeper sleeper{CancelToken()};
    std::unique_ptr<fakes::ObjectServer> server;
    std::unique_ptr<BlobStore> blobs;
    std::unique_ptr<BlobUploads> uploads;
    std::unique_ptr<Storage> bucket;
    std::unique_ptr<BlobVault> vault;
};

void open_disk(Place& place) {
    place.blobs = BlobStore::open(place.folder.path(), {.reserve = Bytes(0)}).value();
    place.uploads = std::make_unique<BlobUploads>(*place.blobs, place.random);
    place.vault = make_disk_vault(*place.blobs, *place.uploads);
}

void open_bucket(Place& place) {
    place.server = fakes::ObjectServer::start("minio");
    if (place.server == nullptr) {
        return;
    }
    const BucketOptions options{
        .endpoint = place.server->url(),
        .credentials = []() -> Result<ObjectCredentials> {
            return ObjectCredentials{
                .key_id = fakes::ObjectServer::kKeyId,
                .secret = Secret(fakes::ObjectServer::kSecret)
            };
        },
        .clock = &place.clock,
        .random = &place.random,
        .sleeper = &place.sleeper,
    };
    const Endpoint endpoint = Endpoint::parse(place.server->url()).value();
    BucketClient client({.name = "vault", .endpoint = endpoint}, options);
    ASSERT_TRUE(client.send({.method = net::Method::kPut}));
    place.bucket = get_storage("s3://vault/some/prefix", {.bucket = options}).value();
    place.vault = make_bucket_vault(*place.bucket);
}

struct VaultRow {
    std::string name;
    void (*open)(Place&);
};

class BlobVaultTest : public ::testing::TestWithParam<VaultRow> {
protected:
    void SetUp() override {
        GetParam().open(place_);
        if (place_.vault == nullptr) {
            ASSERT_FALSE(fakes::parts_are_required()) << "minio is not installed";
            GTEST_SKIP() << "minio is not installed (./dev test does)";
        }
    }
    BlobVault& vault() { return *place_.vault; }
    Result<BlobInfo> take(std::string_view bytes, std::string_view pretended) {
        const Bytes size(static_cast<std::int64_t>(pretended.size()));
        auto intake = vault().take_in(nexa::sha256(pretended), size).value();
        const std::size_t half = bytes.size() / 2;
        if (Status begun = intake->append(bytes.substr(0, half)); !begun) {
            return std::move(begun).error();
        }
        if (Status ended = intake->append(bytes.substr(half)); !ended) {
            return std::move(ended).error();
        }
        return intake->commit();
    }
    std::vector<BlobInfo> listed() {
        std::vector<BlobInfo> blobs;
        EXPECT_TRUE(vault().list([&](const BlobInfo& blob) {
            blobs.push_back(blob);
            return true;
        }));
        return blobs;
    }

    Place place_;
};

TEST_P(BlobVaultTest, TakesInWhatHasItsHashAndNothingElse) {
    const Sha256Digest digest = nexa::sha256("bytes");
    EXPECT_EQ(vault().size(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(vault().way_to(digest, "").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(take("other", "bytes").error().code, ErrorCode::kDataLoss);
    EXPECT_EQ(take("byte", "bytes").error().code, ErrorCode::kConflict);
    EXPECT_EQ(take("bytes!", "bytes").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(vault().take_in(digest, Bytes(-1)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(listed().empty());
    const auto taken = take("bytes", "bytes");
    ASSERT_TRUE(taken) << taken.error().to_string();
    EXPECT_EQ(vault().size(digest).value(), Bytes(5));
    EXPECT_TRUE(take("", ""));
    const std::vector<BlobInfo> both{{nexa::sha256(""), Bytes(0)}, {digest, Bytes(5)}};
    EXPECT_EQ(listed(), both[0].digest < both[1].digest ? both : std::vector({both[1], both[0]}));
    EXPECT_TRUE(vault().remove(digest));
    EXPECT_EQ(vault().remove(digest).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(listed().size(), 1U);
}

TEST_P(BlobVaultTest, WhatIsLargerThanAPartArrivesWholeOrLeavesNothing) {
    const std::string bytes((std::size_t{33} << 20U) + 7, 'x');
    std::string other = bytes;
    other.back() = 'y';
    EXPECT_EQ(take(other, bytes).error().code, ErrorCode::kDataLoss);
    EXPECT_TRUE(listed().empty());
    const auto taken = take(bytes, bytes);
    ASSERT_TRUE(taken) << taken.error().to_string();
    EXPECT_EQ(vault().size(taken->digest).value(), taken->size);
}

INSTANTIATE_TEST_SUITE_P(
    Places,
    BlobVaultTest,
    ::testing::Values(VaultRow{"Disk", open_disk}, VaultRow{"Bucket", open_bucket}),
    [](const auto& row) { return row.param.name; }
);

TEST(BlobVault, ABucketsBlobIsReadAndPutByLinksAndLiesWhereADiskHasIt) {
    Place place;
    open_bucket(place);
    if (place.vault == nullptr) {
        ASSERT_FALSE(fakes::parts_are_required()) << "minio is not installed";
        GTEST_SKIP() << "minio is not installed (./dev test does)";
    }
    net::blocking::HttpClient stranger({}, {place.clock, place.random, place.sleeper});
    const Sha256Digest digest = nexa::sha256("by a link");
    const auto link = place.vault->link_for(digest, Bytes(9)).value();
    ASSERT_TRUE(link);
    net::HttpRequest put{.method = net::Method::kPut, .url = link->url, .body = "by a link"};
    for (const auto& [name, value] : link->headers) {
        put.headers.add(name, value);
    }
    EXPECT_TRUE(stranger.send(put)->is_success());
    const std::string hex = digest.hex();
    EXPECT_EQ(blob_key(digest), "blobs/sha256/" + hex.substr(0, 2) + "/" + hex);
    EXPECT_EQ(place.bucket->get(blob_key(digest), Bytes(100)).value(), "by a link");
    const BlobWay way = place.vault->way_to(digest, "ä b.txt").value();
    EXPECT_TRUE(way.file.empty());
    const auto got = stranger.send({.url = way.link}).value();
    EXPECT_EQ(got.body, "by a link");
    EXPECT_EQ(
        got.headers.get("content-disposition"), "attachment; filename*=UTF-8''%C3%A4%20b.txt"
    );
    // More than a store takes in one request comes through us.
    EXPECT_FALSE(place.vault->link_for(digest, Bytes((std::int64_t{5} << 30) + 1)).value());
}

}  // namespace
}  // namespace nexa::storage
