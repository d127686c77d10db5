// SPDX-License-Identifier: Apache-2.0
#include "accounts/key_gate.h"

#include <filesystem>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "accounts/accounts_sql.h"
#include "accounts/scopes.h"
#include "core/file.h"
#include "db/migrations.h"
#include "fakes/databases.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"
#include "net/task.h"

namespace nexa::accounts {
namespace {

class KeyGateTest : public fakes::OnBothDatabases {
protected:
    void SetUp() override {
        fakes::OnBothDatabases::SetUp();
        if (IsSkipped()) {
            return;
        }
        store.emplace(GetParam(), clock);
        database = store->open();
        ASSERT_TRUE(db::migrate(*database, {sql::migrations()}));
        writer = std::make_unique<db::Writer>(*database);
        writer->start();
        gate = std::make_unique<KeyGate>(
            KeyGate::Collaborators{*database, *writer, pools.db, ids, clock, random}
        );
        owner_key = gate->mint_owner_key("admin").value().key.secret();
        owner = authenticate(owner_key).value();
    }
    void TearDown() override {
        if (writer) {
            writer->stop();
        }
        pools.db.stop();
        pools.cpu.stop();
        pools.io.stop();
    }

    template <class T>
    Result<T> wait(net::Task<T> task) {
        return net::blocking::wait(pools.io.executor(), std::move(task));
    }
    Result<Principal> authenticate(const std::string& key) { return wait(gate->authenticate(key)); }
    MintedKey make(KeyWish wish = {.name = "one"}) {
        return wait(gate->create(std::move(wish), owner)).value();
    }

    fakes::ManualClock clock;
    std::optional<fakes::TestDatabase> store;
    fakes::SeededRandom random{3};
    IdSource ids{clock, random};
    net::Pools pools;
    std::unique_ptr<db::Database> database;
    std::unique_ptr<db::Writer> writer;
    std::unique_ptr<KeyGate> gate;
    std::string owner_key;
    Principal owner;
};

TEST_P(KeyGateTest, AKeyIsItsUser) {
    NEXA_PROVES("F-61");
    const MintedKey minted = make();
    const auto principal = authenticate(std::string(minted.key.secret()));
    ASSERT_TRUE(principal) << principal.error().to_string();
    EXPECT_EQ(principal->user_id, owner.user_id);
    EXPECT_EQ(principal->project_id, owner.project_id);
    EXPECT_EQ(principal->key_id, minted.key_id);
}

TEST_P(KeyGateTest, EveryBadKeyGetsTheSameAnswer) {
    NEXA_PROVES("F-63");
    const std::string good(make().key.secret());
    std::string changed = good;
    changed[10] = changed[10] == 'a' ? 'b' : 'a';
    fakes::SeededRandom other(99);
    const std::string unknown(crypto::make_api_key(crypto::ApiKeyKind::kUser, other).secret());
    const std::string message = authenticate("").error().to_string();
    for (const std::string& bad :
         {changed, unknown, std::string("nexa_"), std::string(10'000, 'x')}) {
        const auto refused = authenticate(bad);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
        EXPECT_EQ(refused.error().to_string(), message);
    }
}

TEST_P(KeyGateTest, ARevokedKeyIsRefusedFromThenOn) {
    const MintedKey minted = make();
    const std::string key(minted.key.secret());
    ASSERT_TRUE(authenticate(key));
    ASSERT_TRUE(wait(gate->revoke(minted.key_id, owner)));
    EXPECT_EQ(authenticate(key).error().code, ErrorCode::kUnauthenticated);
    EXPECT_TRUE(wait(gate->revoke(minted.key_id, owner)));
}

TEST_P(KeyGateTest, AnotherUsersKeyIsNotThere) {
    const MintedKey minted = make();
    Principal stranger = owner;
    stranger.user_id = "usr_other";
    EXPECT_EQ(wait(gate->revoke(minted.key_id, stranger)).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(authenticate(std::string(minted.key.secret())));
}

TEST_P(KeyGateTest, AKeyEndsAtItsMomentEvenIfRemembered) {
    const MintedKey minted = make({.name = "short", .lifetime = std::chrono::seconds{1}});
    const std::string key(minted.key.secret());
    clock.advance(std::chrono::milliseconds{999});
    EXPECT_TRUE(authenticate(key));
    clock.advance(std::chrono::milliseconds{1});
    EXPECT_FALSE(authenticate(key));
}

TEST_P(KeyGateTest, ARememberedKeyIsLookedUpAgainAfterTwoSeconds) {
    const MintedKey minted = make();
    const std::string key(minted.key.secret());
    ASSERT_TRUE(authenticate(key));
    // As another coordinator would: behind this gate's back.
    ASSERT_TRUE(writer->run([&](db::Tx& tx) { return key_store::revoke(tx, minted.key_id, owner); })
    );
    EXPECT_TRUE(authenticate(key));
    clock.advance(std::chrono::seconds{2});
    EXPECT_FALSE(authenticate(key));
}

TEST_P(KeyGateTest, OnlyTheHashIsStored) {
    NEXA_PROVES("F-58");
    const std::string key(make().key.secret());
    writer->stop();
    const std::string secret = key.substr(5, 30);
    std::size_t files = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(store->files())) {
        if (file.is_regular_file()) {
            const auto bytes = read_file(file.path(), 1 << 26);
            ASSERT_TRUE(bytes) << bytes.error().to_string();
            EXPECT_EQ(bytes->find(secret), std::string::npos) << file.path();
            ++files;
        }
    }
    EXPECT_GT(files, 0U);
}

TEST_P(KeyGateTest, ListShowsTheFormAndNeverTheKey) {
    const MintedKey minted = make({.name = "laptop", .scopes = {"jobs:read"}});
    const auto keys = wait(gate->list(owner)).value();
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].name, "laptop");
    EXPECT_EQ(keys[0].scopes, std::vector<std::string>{"jobs:read"});
    EXPECT_TRUE(minted.key.secret().starts_with(keys[0].prefix));
    EXPECT_TRUE(minted.key.secret().ends_with(keys[0].last4));
    EXPECT_LT(keys[0].prefix.size() + keys[0].last4.size(), 20U);
}

TEST_P(KeyGateTest, ANewKeyHoldsNoMoreThanItsMaker) {
    Principal reader = owner;
    reader.scopes = {"jobs:read"};
    EXPECT_EQ(
        wait(gate->create({.name = "x", .scopes = {"jobs:write"}}, reader)).error().code,
        ErrorCode::kPermissionDenied
    );
    const MintedKey heir = wait(gate->create({.name = "x"}, reader)).value();
    EXPECT_EQ(authenticate(std::string(heir.key.secret()))->scopes, reader.scopes);
}

class GoodKeysTest : public KeyGateTest {
protected:
    std::int64_t serial() {
        return database->read([](db::Tx& tx) { return key_store::serial(tx); }).value();
    }
    std::vector<std::string> good_ids() {
        const auto keys =
            database->read([](db::Tx& tx) { return key_store::good_keys(tx, kInferenceScope); }
            ).value();
        std::vector<std::string> key_ids;
        for (const GoodKey& key : keys) {
            key_ids.push_back(key.key_id);
        }
        return key_ids;
    }
};

TEST_P(GoodKeysTest, EveryKeyMadeOrRevokedRaisesTheSerial) {
    const auto before = serial();
    EXPECT_GT(before, 0);
    const MintedKey minted = make();
    const auto made = serial();
    EXPECT_GT(made, before);
    ASSERT_TRUE(wait(gate->revoke(minted.key_id, owner)));
    EXPECT_GT(serial(), made);
    EXPECT_FALSE(wait(gate->revoke("key_none", owner)));
}

TEST_P(GoodKeysTest, OnlyKeysWithTheScopeThatAreGoodNowAreListed) {
    const MintedKey asks = make({.name = "asks", .scopes = {std::string(kInferenceScope)}});
    make({.name = "reads", .scopes = {"jobs:read"}});
    const MintedKey ends = make(
        {.name = "ends",
         .scopes = {std::string(kInferenceScope)},
         .lifetime = std::chrono::seconds{10}}
    );
    EXPECT_EQ(good_ids(), (std::vector{owner.key_id, asks.key_id, ends.key_id}));
    clock.advance(std::chrono::seconds{10});
    EXPECT_EQ(good_ids(), (std::vector{owner.key_id, asks.key_id}));
    ASSERT_TRUE(wait(gate->revoke(asks.key_id, owner)));
    EXPECT_EQ(good_ids(), std::vector{owner.key_id});
}

NEXA_ON_BOTH_DATABASES(KeyGateTest);
NEXA_ON_BOTH_DATABASES(GoodKeysTest);

}  // namespace
}  // namespace nexa::accounts
