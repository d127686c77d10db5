// SPDX-License-Identifier: Apache-2.0
#include "gateway/keys.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "crypto/api_key.h"
#include "fakes/manual_clock.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"

namespace nexa::gateway {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Timestamp kNow = fakes::ManualClock::kStart;

std::string new_key(std::uint64_t seed) {
    fakes::SeededRandom random(seed);
    return std::string(crypto::make_api_key(crypto::ApiKeyKind::kUser, random).secret());
}

net::RequestHead head_with(std::string name, std::string value) {
    net::RequestHead head;
    head.headers.add(std::move(name), std::move(value));
    return head;
}

net::RequestHead bearer(const std::string& key) {
    return head_with("Authorization", "Bearer " + key);
}

class Keys : public testing::Test {
protected:
    Result<KeyTable> read(std::string_view text, fs::perms perms = fs::perms::owner_read) {
        std::ofstream(file) << text;
        fs::permissions(file, perms | fs::perms::owner_write);
        return KeyTable::from_file(file);
    }

    fakes::TempFolder folder;
    const fs::path file = folder.path() / "keys";
    const std::string ann = new_key(1);
    const std::string bob = new_key(2);
};

// --- the file ---

TEST_F(Keys, AFileHoldsKeysOrTheirHashesWithNames) {
    const std::string hash = sha256(bob).hex();
    const auto table = read(fmt::format("# mine\r\n\n  {}\tann smith \r\n{}\n", ann, hash));
    ASSERT_TRUE(table) << table.error().to_string();
    EXPECT_EQ(table->size(), 2U);
    const Caller wanted{.key_id = "ann smith", .project_id = "", .may_use_all = true};
    EXPECT_EQ(table->check(sha256(ann), kNow).value(), wanted);
    EXPECT_EQ(table->check(sha256(bob), kNow)->key_id, "key_" + hash.substr(0, 12));
    EXPECT_EQ(table->check(sha256(new_key(3)), kNow).error().code, ErrorCode::kUnauthenticated);
}

TEST_F(Keys, ALineThatIsNoKeyIsRefusedByItsNumberWithoutItsText) {
    const std::string torn = ann.substr(0, ann.size() - 1);
    for (const std::string& bad : {torn, std::string("sk-1234"), sha256(ann).hex().substr(1)}) {
        const auto table = read("# a\n\n" + bad + " name\n");
        ASSERT_FALSE(table);
        EXPECT_EQ(table.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(table.error().param, file.native() + ":3");
        EXPECT_THAT(table.error().to_string(), Not(HasSubstr(bad)));
    }
}

TEST_F(Keys, AFileWithoutAKeyIsRefused) {
    for (const char* text : {"", "\n", "# only\n   \n"}) {
        EXPECT_EQ(read(text).error().code, ErrorCode::kInvalidArgument);
    }
}

TEST_F(Keys, TheLastLineNeedsNoEnd) {
    EXPECT_EQ(read(ann + "\n" + bob)->size(), 2U);
}

TEST_F(Keys, AFileThatEveryoneMayTouchIsRefused) {
    for (const fs::perms open : {fs::perms::others_read, fs::perms::others_write}) {
        EXPECT_EQ(read(ann, open).error().code, ErrorCode::kPermissionDenied);
    }
    EXPECT_TRUE(read(ann, fs::perms::group_read));
}

TEST_F(Keys, AFileThatIsNotThereIsNotFound) {
    EXPECT_EQ(KeyTable::from_file(file).error().code, ErrorCode::kNotFound);
}

// --- the snapshot ---

TEST_F(Keys, AKeyOfTheSnapshotIsItsProjectsOwn) {
    const std::vector<protocol::GatewayKey> keys{
        {.key_id = "k1", .project_id = "p1", .sha256 = sha256(ann).hex()},
        {.key_id = "k2", .project_id = "p2", .sha256 = sha256(bob).hex()},
    };
    const auto table = KeyTable::from_snapshot(keys);
    ASSERT_TRUE(table);
    EXPECT_EQ(
        table->check(sha256(ann), kNow).value(), (Caller{.key_id = "k1", .project_id = "p1"})
    );
    EXPECT_EQ(table->check(sha256(bob), kNow)->project_id, "p2");
}

TEST_F(Keys, AKeyEndsAtItsMomentAndNotBefore) {
    const std::vector<protocol::GatewayKey> keys{
        {.key_id = "k1",
         .project_id = "p1",
         .sha256 = sha256(ann).hex(),
         .expires_at = to_rfc3339(kNow)},
    };
    const auto table = KeyTable::from_snapshot(keys);
    ASSERT_TRUE(table);
    EXPECT_TRUE(table->check(sha256(ann), kNow - std::chrono::microseconds(1)));
    const auto expired = table->check(sha256(ann), kNow);
    ASSERT_FALSE(expired);
    EXPECT_EQ(expired.error().code, ErrorCode::kUnauthenticated);
    EXPECT_THAT(expired.error().message, HasSubstr("expired"));
}

TEST_F(Keys, ASnapshotWithAHashOrATimeThatIsNoneIsRefused) {
    const std::vector<protocol::GatewayKey> no_hash{{.key_id = "k", .sha256 = "abc"}};
    EXPECT_FALSE(KeyTable::from_snapshot(no_hash));
    const std::vector<protocol::GatewayKey> no_time{
        {.key_id = "k", .sha256 = sha256(ann).hex(), .expires_at = "tomorrow"}
    };
    EXPECT_FALSE(KeyTable::from_snapshot(no_time));
}

// --- requests ---

TEST_F(Keys, AllThreeHeadersBringAKey) {
    const KeyRing ring(false, *read(ann));
    EXPECT_TRUE(ring.check(bearer(ann), kNow));
    EXPECT_TRUE(ring.check(head_with("authorization", "bearer " + ann), kNow));
    EXPECT_TRUE(ring.check(head_with("x-nexa-api-key", ann), kNow));
    EXPECT_TRUE(ring.check(head_with("X-API-Key", ann), kNow));
}

TEST_F(Keys, WhoBringsNoSoundKeyIsToldWhichOfItIsWrongAndNeverTheKey) {
    const KeyRing ring(false, *read(ann));
    std::string typo = ann;
    typo[10] = typo[10] == 'a' ? 'b' : 'a';
    const std::pair<net::RequestHead, std::string> rows[] = {
        {net::RequestHead{}, "did not provide"},
        {head_with("Authorization", "Basic " + ann), "did not provide"},
        {head_with("Authorization", ann), "did not provide"},
        {head_with("Authorization", "Bearer "), "did not provide"},
        {head_with("X-Other", ann), "did not provide"},
        {bearer(typo), "incorrect"},
        {bearer(ann + " "), "incorrect"},
        {bearer("sk-1234"), "incorrect"},
        {bearer(bob), "not known"},
    };
    for (const auto& [head, words] : rows) {
        const auto caller = ring.check(head, kNow);
        ASSERT_FALSE(caller) << words;
        EXPECT_EQ(caller.error().code, ErrorCode::kUnauthenticated);
        EXPECT_THAT(caller.error().message, HasSubstr(words));
        for (const std::string& secret : {ann, bob, typo}) {
            EXPECT_THAT(caller.error().to_string(), Not(HasSubstr(secret.substr(5, 20))));
        }
    }
}

TEST_F(Keys, AnOpenRingTakesEverybody) {
    const KeyRing ring(true);
    EXPECT_TRUE(ring.check(net::RequestHead{}, kNow)->may_use_all);
    EXPECT_TRUE(ring.check(bearer("anything"), kNow));
}

TEST_F(Keys, AClosedRingWithoutKeysTakesNobody) {
    EXPECT_FALSE(KeyRing(false).check(bearer(ann), kNow));
}

TEST_F(Keys, TheFeedsKeysAreReplacedWholeAndThoseOfTheFileStay) {
    KeyRing ring(false, *read(ann));
    const std::string carl = new_key(3);
    const auto feed = [](const std::string& key) {
        const std::vector<protocol::GatewayKey> keys{
            {.key_id = "k", .project_id = "p", .sha256 = sha256(key).hex()}
        };
        return KeyTable::from_snapshot(keys).value();
    };
    ring.replace(feed(bob));
    EXPECT_EQ(ring.check(bearer(bob), kNow)->project_id, "p");
    ring.replace(feed(carl));
    EXPECT_FALSE(ring.check(bearer(bob), kNow));
    EXPECT_TRUE(ring.check(bearer(carl), kNow));
    EXPECT_TRUE(ring.check(bearer(ann), kNow)->may_use_all);
}

}  // namespace
}  // namespace nexa::gateway
