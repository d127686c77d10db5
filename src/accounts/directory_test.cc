// SPDX-License-Identifier: Apache-2.0
#include "accounts/directory.h"

#include "accounts/people_test_internal.h"
#include "accounts/scopes.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::accounts {
namespace {

class DirectoryTest : public PeopleTest {
protected:
    /// A key for all that the session may.
    Principal key_of(const Principal& session, std::string* text = nullptr) {
        const MintedKey minted = wait(keys->create({.name = "k"}, session)).value();
        const std::string key(minted.key.secret());
        if (text != nullptr) {
            *text = key;
        }
        return wait(keys->authenticate(key)).value();
    }
    std::vector<std::string> names(const std::string& project_id, const Principal& by) {
        std::vector<std::string> found;
        for (const MemberRecord& member : wait(directory->members(project_id, by)).value()) {
            found.push_back(fmt::format("{} {}", member.name, to_string(member.role)));
        }
        return found;
    }
    std::int64_t serial() {
        return database->read([](db::Tx& tx) { return key_store::serial(tx); }).value();
    }
};

TEST_P(DirectoryTest, MembersAreChangedByThoseWhoMayAndTheLastOwnerStays) {
    const Principal ada = principal(sign_up("ada")).value();
    const Principal bob = principal(sign_up("bob")).value();
    const std::string& project = ada.project_id;
    ASSERT_TRUE(wait(directory->add_member(project, "bob", Role::kAdmin, ada)));
    EXPECT_EQ(names(project, ada), (std::vector<std::string>{"ada owner", "bob admin"}));

    Principal there = bob;
    there.project_id = project;
    there.role = Role::kAdmin;
    const auto code = [&](auto task) {
        const auto result = wait(std::move(task));
        return result ? ErrorCode{} : result.error().code;
    };
    const auto change = [&](const Principal& whom, Role role, const Principal& by) {
        return code(directory->change_member(project, whom.user_id, role, by));
    };
    EXPECT_EQ(change(bob, Role::kOwner, there), ErrorCode::kPermissionDenied);
    EXPECT_EQ(change(ada, Role::kViewer, there), ErrorCode::kPermissionDenied);
    EXPECT_EQ(
        code(directory->remove_member(project, ada.user_id, there)), ErrorCode::kPermissionDenied
    );
    EXPECT_EQ(change(ada, Role::kViewer, ada), ErrorCode::kConflict);
    EXPECT_EQ(code(directory->remove_member(project, ada.user_id, ada)), ErrorCode::kConflict);
    EXPECT_EQ(change(admin, Role::kViewer, ada), ErrorCode::kNotFound);
    ASSERT_TRUE(wait(directory->change_member(project, bob.user_id, Role::kOwner, ada)));
    ASSERT_TRUE(wait(directory->change_member(project, ada.user_id, Role::kViewer, there)));
    ASSERT_TRUE(wait(directory->remove_member(project, ada.user_id, there)));
    EXPECT_EQ(names(project, there), std::vector<std::string>{"bob owner"});
}

TEST_P(DirectoryTest, WhoIsNoMemberIsToldThatThereIsNoSuchProject) {
    const Principal ada = principal(sign_up("ada")).value();
    const Principal bob = principal(sign_up("bob")).value();
    const auto foreign = wait(directory->members(ada.project_id, bob));
    const auto unknown = wait(directory->members("prj_none", bob));
    ASSERT_FALSE(foreign);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(foreign.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(
        wait(directory->add_member(ada.project_id, "bob", Role::kOwner, bob)).error().code,
        ErrorCode::kNotFound
    );
    // Nor does being a member elsewhere help a key.
    ASSERT_TRUE(wait(directory->add_member(ada.project_id, "bob", Role::kOwner, ada)));
    EXPECT_EQ(
        wait(directory->members(ada.project_id, key_of(bob))).error().code, ErrorCode::kNotFound
    );
}

TEST_P(DirectoryTest, AnAdministratorReachesEveryProjectAndANarrowKeyOfOneDoesNot) {
    const Principal ada = principal(sign_up("ada")).value();
    EXPECT_EQ(names(ada.project_id, admin), std::vector<std::string>{"ada owner"});
    ASSERT_TRUE(wait(directory->add_member(ada.project_id, "admin", Role::kOwner, admin)));
    Principal narrow = admin;
    narrow.scopes = {"members:write"};
    EXPECT_EQ(wait(directory->members(ada.project_id, narrow)).error().code, ErrorCode::kNotFound);
}

TEST_P(DirectoryTest, AChangeOfAMemberWorksForKeysAtOnceAndGatewaysAreTold) {
    const Principal ada = principal(sign_up("ada")).value();
    const Principal bob = principal(sign_up("bob")).value();
    ASSERT_TRUE(wait(directory->add_member(ada.project_id, "bob", Role::kDeveloper, ada)));
    Principal there = bob;
    there.project_id = ada.project_id;
    there.scopes = scopes_of_user(Role::kDeveloper, false);
    std::string key;
    EXPECT_TRUE(allows(key_of(there, &key).scopes, kInferenceScope));
    const auto good = [&] {
        return database->read([](db::Tx& tx) { return key_store::good_keys(tx, kInferenceScope); }
        )->size();
    };
    const std::size_t with_bobs = good();
    std::int64_t before = serial();
    ASSERT_TRUE(wait(directory->change_member(ada.project_id, bob.user_id, Role::kViewer, ada)));
    EXPECT_GT(serial(), before);
    EXPECT_EQ(good(), with_bobs - 1);
    const Principal narrowed_now = wait(keys->authenticate(key)).value();
    EXPECT_FALSE(allows(narrowed_now.scopes, "jobs:write"));
    EXPECT_TRUE(allows(narrowed_now.scopes, "jobs:read"));
    before = serial();
    ASSERT_TRUE(wait(directory->remove_member(ada.project_id, bob.user_id, ada)));
    EXPECT_GT(serial(), before);
    EXPECT_FALSE(wait(keys->authenticate(key)));
}

TEST_P(DirectoryTest, ADisabledUserIsRefusedEverywhereAndComesBackWithoutTheOldSessions) {
    const SignedIn session = sign_up("ada");
    const Principal ada = principal(session).value();
    std::string key;
    key_of(ada, &key);
    ASSERT_TRUE(wait(directory->set_status(ada.user_id, "disabled", admin)));
    EXPECT_FALSE(wait(keys->authenticate(key)));
    EXPECT_FALSE(principal(session));
    EXPECT_FALSE(log_in("ada"));
    ASSERT_TRUE(wait(directory->set_status(ada.user_id, "active", admin)));
    EXPECT_TRUE(wait(keys->authenticate(key)));
    EXPECT_FALSE(principal(session));
    EXPECT_TRUE(log_in("ada"));
    EXPECT_EQ(
        wait(directory->set_status(admin.user_id, "disabled", admin)).error().code,
        ErrorCode::kConflict
    );
}

TEST_P(DirectoryTest, AChangeThatIsRefusedLeavesNoEntryAndOneThatIsMadeOne) {
    const Principal ada = principal(sign_up("ada")).value();
    const std::size_t before = actions().size();
    EXPECT_FALSE(wait(directory->change_member(ada.project_id, ada.user_id, Role::kViewer, ada)));
    EXPECT_FALSE(wait(directory->create_project("ada", ada)));
    EXPECT_FALSE(wait(directory->create_project(" x", ada)));
    EXPECT_FALSE(wait(directory->invite({.name = "ada"}, admin)));
    EXPECT_FALSE(wait(directory->invite({.name = "new", .project_id = "prj_none"}, admin)));
    EXPECT_EQ(actions().size(), before);
    ASSERT_TRUE(wait(directory->create_project("second", ada)));
    EXPECT_EQ(actions().size(), before + 1);
    EXPECT_EQ(actions().back(), "project.created");
}

TEST_P(DirectoryTest, NamesAreOfOneSpellingAndLookLikeNoIdAndNoAddress) {
    EXPECT_EQ(checked_name("Ada.L_1-x"), "ada.l_1-x");
    for (const char* name : {"", "a b", ".a", "usr_1", "a@b", "a/b", "\u00e4"}) {
        EXPECT_EQ(checked_name(name).error().param, "name") << name;
    }
    EXPECT_TRUE(checked_name(std::string(64, 'a')));
    EXPECT_FALSE(checked_name(std::string(65, 'a')));
    EXPECT_EQ(checked_email("A@B.c"), "a@b.c");
    for (const char* email : {"", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n"}) {
        EXPECT_EQ(checked_email(email).error().param, "email") << email;
    }
}

TEST_P(DirectoryTest, ARolledKeyTakesOverNameAndScopesAndTheOldOneEndsAfterItsGrace) {
    const Principal ada = principal(sign_up("ada")).value();
    const MintedKey old =
        wait(keys->create(
                 {.name = "old", .scopes = {"jobs:write", "keys:read"}, .rate_limit_per_second = 7},
                 ada
             ))
            .value();
    const MintedKey rolled = wait(keys->roll(old.key_id, std::chrono::hours{1}, ada)).value();
    EXPECT_EQ(rolled.name, "old");
    EXPECT_EQ(rolled.rate_limit_per_second, 7);
    EXPECT_EQ(rolled.scopes, (std::vector<std::string>{"jobs:read", "jobs:write", "keys:read"}));
    const std::string old_text(old.key.secret());
    clock.advance(std::chrono::hours{1} - std::chrono::microseconds{1});
    EXPECT_TRUE(wait(keys->authenticate(old_text)));
    clock.advance(std::chrono::microseconds{1});
    EXPECT_FALSE(wait(keys->authenticate(old_text)));
    EXPECT_TRUE(wait(keys->authenticate(std::string(rolled.key.secret()))));
    EXPECT_EQ(
        wait(keys->roll(old.key_id, std::chrono::hours{1}, ada)).error().code, ErrorCode::kNotFound
    );
}

class MigrationsTest : public fakes::OnBothDatabases {};

TEST_P(MigrationsTest, TheOwnerOfAnOldInstallationAdministersItWithTheKeyThatIsThere) {
    fakes::ManualClock clock;
    fakes::SeededRandom random{4};
    const fakes::TestDatabase store(GetParam(), clock);
    const auto database = store.open();
    const db::MigrationSet all = sql::migrations();
    const db::MigrationSet old{.module = all.module, .migrations = all.migrations.first(2)};
    ASSERT_TRUE(db::migrate(*database, {old}));
    const crypto::ApiKey key = crypto::make_api_key(crypto::ApiKeyKind::kUser, random);
    {
        db::Writer writer(*database);
        const auto in_both = [](std::string_view text) {
            return db::Sql{.name = "old", .sqlite = text, .postgres = text};
        };
        ASSERT_TRUE(writer.run([&](db::Tx& tx) -> Status {
            TRY_STATUS(tx.execute(
                in_both("INSERT INTO \"user\" (id, name, created_at) VALUES ('usr_1', 'admin', 1)")
            ));
            TRY_STATUS(tx.execute(
                in_both("INSERT INTO project (id, name, created_at) VALUES ('prj_1', 'default', 1)")
            ));
            TRY_STATUS(
                tx.execute(in_both("INSERT INTO member (project_id, user_id, role)"
                                   " VALUES ('prj_1', 'usr_1', 'owner')"))
            );
            TRY_STATUS(tx.execute(
                in_both("INSERT INTO api_key (id, user_id, project_id, name, sha256, prefix, last4,"
                        " scopes, created_at) VALUES ('key_1', 'usr_1', 'prj_1', 'admin', :sha256,"
                        " 'nexa_', 'abcd', '[\"jobs:write\",\"keys:write\"]', 1)"),
                {{"sha256", key.sha256()}}
            ));
            return {};
        }));
    }
    ASSERT_TRUE(db::migrate(*database, {all}));
    const auto found =
        database->read([&](db::Tx& tx) { return key_store::find(tx, key.sha256()); });
    ASSERT_TRUE(found) << found.error().to_string();
    ASSERT_TRUE(found->has_value());
    const Principal& principal = (*found)->principal;
    EXPECT_TRUE(principal.is_admin);
    for (const char* scope :
         {"jobs:write", "keys:write", "users:write", "members:write", "projects:write", "audit:read"
         }) {
        EXPECT_TRUE(allows(principal.scopes, scope)) << scope;
    }
    EXPECT_FALSE(allows(principal.scopes, "billing:read"));
}

NEXA_ON_BOTH_DATABASES(DirectoryTest);
NEXA_ON_BOTH_DATABASES(MigrationsTest);

}  // namespace
}  // namespace nexa::accounts
