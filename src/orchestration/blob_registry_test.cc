// SPDX-License-Identifier: Apache-2.0
#include "orchestration/blob_registry.h"

#include <string>

#include "orchestration/artifact_manifest.h"
#include "orchestration/artifact_store.h"
#include "orchestration/database_test_internal.h"

namespace nexa::orchestration {
namespace {

using std::chrono::hours;

const std::string kBlob = "sha256:" + std::string(64, 'a');
constexpr BlobAges kDay{.unseen = hours(24)};

class BlobRegistryTest : public DatabaseTest {
protected:
    Status see(std::int64_t bytes = 3) {
        return write([=](db::Tx& tx) { return blob_registry::see(tx, kBlob, bytes); });
    }
    void add_artifact(const std::string& artifact_id, const std::string& tenant_id = "prj_a") {
        const Upload upload{
            .artifact_id = artifact_id,
            .tenant_id = tenant_id,
            .kind = "dataset",
            .name = "sums",
            // One file under two names.
            .files =
                {{.path = "a", .digest = kBlob, .size = 3},
                 {.path = "b", .digest = kBlob, .size = 3}},
        };
        const auto added = write([&](db::Tx& tx) -> Status {
            TRY(const ArtifactRecord record, describe_upload(upload, tx.now()));
            return artifact_store::add(tx, record);
        });
        ASSERT_TRUE(added) << added.error().to_string();
    }
    void remove_artifact(const std::string& artifact_id) {
        ASSERT_TRUE(write([&](db::Tx& tx) {
            return artifact_store::remove(tx, artifact_id, "prj_a");
        }));
    }
    std::vector<std::string> unused() {
        return database->read([](db::Tx& tx) { return blob_registry::list_unused(tx, kDay, 10); }
        ).value();
    }
    std::optional<std::int64_t> begin() {
        return write([](db::Tx& tx) { return blob_registry::begin_collecting(tx, kBlob, kDay); }
        ).value();
    }
    bool is_held_by(const std::string& tenant_id) {
        return database->read([&](db::Tx& tx) { return blob_registry::holds(tx, kBlob, tenant_id); }
        ).value();
    }
    BlobCounts count() {
        return database->read([](db::Tx& tx) { return blob_registry::count(tx, kDay); }).value();
    }
};
NEXA_ON_BOTH_DATABASES(BlobRegistryTest);

TEST_P(BlobRegistryTest, WhatNoArtifactNamesGoesAfterItsTime) {
    ASSERT_TRUE(see());
    clock.advance(hours(23));
    EXPECT_TRUE(unused().empty());
    EXPECT_EQ(begin(), std::nullopt);
    clock.advance(hours(2));
    EXPECT_EQ(unused(), std::vector{kBlob});
    EXPECT_EQ(begin(), 3);
}

TEST_P(BlobRegistryTest, WhatIsSeenAgainStaysForAsLongAgain) {
    ASSERT_TRUE(see());
    clock.advance(hours(23));
    ASSERT_TRUE(see());
    clock.advance(hours(23));
    EXPECT_TRUE(unused().empty());
}

TEST_P(BlobRegistryTest, WhatAnArtifactNamesStaysUntilTheLastOneIsDeleted) {
    add_artifact("ds_1");
    add_artifact("ds_2");
    clock.advance(hours(100));
    remove_artifact("ds_1");
    EXPECT_TRUE(unused().empty());
    EXPECT_EQ(begin(), std::nullopt);
    remove_artifact("ds_2");
    EXPECT_EQ(unused(), std::vector{kBlob});
}

TEST_P(BlobRegistryTest, OnlyWhoHadTheBytesHoldsThem) {
    add_artifact("ds_1");
    EXPECT_TRUE(is_held_by("prj_a"));
    EXPECT_FALSE(is_held_by("prj_b"));
    ASSERT_TRUE(write([](db::Tx& tx) { return blob_registry::hold(tx, kBlob, "prj_b"); }));
    EXPECT_TRUE(is_held_by("prj_b"));
}

TEST_P(BlobRegistryTest, WhileItsBytesAreRemovedNobodyMayCountOnThem) {
    ASSERT_TRUE(see());
    clock.advance(hours(25));
    ASSERT_EQ(begin(), 3);
    EXPECT_EQ(see().error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(begin(), std::nullopt) << "one server removes it";
    ASSERT_TRUE(write([](db::Tx& tx) { return blob_registry::forget(tx, kBlob); }));
    EXPECT_TRUE(see());
    EXPECT_FALSE(is_held_by("prj_a"));
}

TEST_P(BlobRegistryTest, ARemovalThatEndedWithItsServerIsFinishedByTheNext) {
    ASSERT_TRUE(see());
    clock.advance(hours(25));
    ASSERT_EQ(begin(), 3);
    EXPECT_TRUE(unused().empty());
    clock.advance(std::chrono::minutes(11));
    EXPECT_EQ(unused(), std::vector{kBlob});
    EXPECT_EQ(begin(), 3);
}

TEST_P(BlobRegistryTest, WhatLiesThereWithoutARowIsTakenInOnce) {
    ASSERT_TRUE(write([](db::Tx& tx) { return blob_registry::adopt(tx, kBlob, 7); }));
    clock.advance(hours(25));
    ASSERT_TRUE(write([](db::Tx& tx) { return blob_registry::adopt(tx, kBlob, 7); }));
    EXPECT_EQ(unused(), std::vector{kBlob}) << "to be found again is not to be used";
}

TEST_P(BlobRegistryTest, CountsTellUsedUnusedAndWhatGoesNext) {
    add_artifact("ds_1");
    const std::string other = "sha256:" + std::string(64, 'b');
    ASSERT_TRUE(write([&](db::Tx& tx) { return blob_registry::see(tx, other, 10); }));
    BlobCounts counts = count();
    EXPECT_EQ(counts.blobs, 2);
    EXPECT_EQ(counts.bytes, 13);
    EXPECT_EQ(counts.unused_blobs, 1);
    EXPECT_EQ(counts.unused_bytes, 10);
    EXPECT_EQ(counts.collectable_blobs, 0);
    clock.advance(hours(25));
    EXPECT_EQ(count().collectable_bytes, 10);
}

}  // namespace
}  // namespace nexa::orchestration
