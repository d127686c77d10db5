// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "accounts/accounts_sql.h"
#include "accounts/people_store.h"
#include "accounts/people_test_internal.h"
#include "fakes/rivals.h"

namespace nexa::accounts {
namespace {

/// Two coordinators that change the same people at the same moment.
class RivalsTest : public PeopleTest {
protected:
    void SetUp() override {
        PeopleTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        elsewhere = store->open();
        other = std::make_unique<db::Writer>(*elsewhere);
    }

    auto changes_role(const Principal& who, const Principal& by, Role role) {
        return [what =
                    people_store::Appointment{
                        .project_id = project, .user_id = who.user_id, .actor_id = by.user_id
                    },
                role](db::Tx& tx) { return people_store::change_role(tx, what, role); };
    }
    auto removes(const Principal& who) {
        return [what = people_store::Appointment{
                    .project_id = project,
                    .user_id = who.user_id,
                    .actor_id = who.user_id,
                    .by_admin = true
                }](db::Tx& tx) { return people_store::remove(tx, what); };
    }
    static auto disables(const std::string& user_id) {
        return [user_id](db::Tx& tx) { return people_store::set_status(tx, user_id, "disabled"); };
    }
    /// Ada and Bob both own Ada's project.
    void make_owners() {
        ada = principal(sign_up("ada")).value();
        bob = principal(sign_up("bob")).value();
        project = ada.project_id;
        ASSERT_TRUE(wait(directory->add_member(project, "bob", Role::kOwner, ada)));
    }
    int owners() {
        const auto members =
            database->read([&](db::Tx& tx) { return people_store::members_of(tx, project); }
            ).value();
        return static_cast<int>(std::ranges::count(members, Role::kOwner, &MemberRecord::role));
    }

    std::unique_ptr<db::Database> elsewhere;
    std::unique_ptr<db::Writer> other;
    Principal ada;
    Principal bob;
    std::string project;
};

TEST_P(RivalsTest, OfTwoOwnersWhoStepDownTheLastStays) {
    make_owners();
    const auto [first, second] = fakes::as_rivals(
        *writer, changes_role(ada, ada, Role::kViewer), *other, changes_role(bob, bob, Role::kAdmin)
    );
    EXPECT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_EQ(owners(), 1);
}

TEST_P(RivalsTest, OfTwoOwnersWhoUnmakeEachOtherTheFirstDoes) {
    make_owners();
    const auto [first, second] = fakes::as_rivals(
        *writer, changes_role(bob, ada, Role::kViewer), *other, changes_role(ada, bob, Role::kAdmin)
    );
    EXPECT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(owners(), 1);
}

TEST_P(RivalsTest, OfTwoOwnersWhoAreRemovedTheLastStays) {
    make_owners();
    const auto [first, second] = fakes::as_rivals(*writer, removes(bob), *other, removes(ada));
    EXPECT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_EQ(owners(), 1);
}

TEST_P(RivalsTest, OfTwoAdministratorsWhoAreDisabledTheLastStays) {
    const auto root = writer->run([](db::Tx& tx) {
        return people_store::add_user(
            tx, {.user_id = "usr_root", .name = "root", .email = {}, .is_admin = true}
        );
    });
    ASSERT_TRUE(root) << root.error().to_string();
    const auto [first, second] =
        fakes::as_rivals(*writer, disables(admin.user_id), *other, disables("usr_root"));
    EXPECT_TRUE(first);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST_P(RivalsTest, ASessionOfTheOldPasswordDoesNotOutliveItsChange) {
    const std::string user_id = sign_up("ada").user.user_id;
    const std::string encoded = (*database->read([](db::Tx& tx) {
                                    return tx.query_one(sql::kFindPassword, {{"login", "ada"}});
                                }))->text("encoded");
    const auto begins = [&](const std::string& session_id) {
        return [session_id, user_id, encoded](db::Tx& tx) {
            return tx.execute(
                sql::kAddSession,
                {
                    {"session_id", session_id},
                    {"user_id", user_id},
                    {"sha256", sha256(session_id)},
                    {"encoded", encoded},
                    {"lifetime_us", std::chrono::microseconds{std::chrono::hours{1}}},
                }
            );
        };
    };
    const auto changes = [&](const std::string& from, const std::string& to) {
        return [user_id, from, to](db::Tx& tx) -> Result<std::int64_t> {
            TRY_STATUS(tx.execute(
                sql::kReplacePassword,
                {{"user_id", user_id}, {"encoded", to}, {"old_encoded", from}}
            ));
            return tx.execute(sql::kEndSessions, {{"user_id", user_id}, {"kept_id", ""}});
        };
    };
    // It began first: the change ends it, with the one of the registration.
    const auto before =
        fakes::as_rivals(*writer, begins("ses_1"), *other, changes(encoded, encoded));
    EXPECT_EQ(before.first.value(), 1);
    EXPECT_EQ(before.second.value(), 2);
    // The change came first: it does not begin.
    const auto after = fakes::as_rivals(*other, changes(encoded, "new"), *writer, begins("ses_2"));
    EXPECT_TRUE(after.first);
    EXPECT_EQ(after.second.value(), 0);
}

TEST_P(RivalsTest, OfTwoInvitationsAtOnceTheLaterIsGood) {
    const Invitation first = wait(directory->invite({.name = "ada"}, admin)).value();
    const auto invites = [&](std::string_view token) {
        return [user_id = first.user.user_id, sha256 = sha256(token)](db::Tx& tx) {
            return people_store::add_invitation(tx, user_id, sha256, std::chrono::hours{1});
        };
    };
    const auto [one, two] = fakes::as_rivals(*writer, invites("one"), *other, invites("two"));
    EXPECT_TRUE(one);
    EXPECT_TRUE(two);
    const auto takes = [&](std::string_view token) {
        return writer
            ->run([sha256 = sha256(token)](db::Tx& tx) {
                return people_store::take_invitation(tx, sha256);
            })
            .value();
    };
    EXPECT_FALSE(takes(first.token));
    EXPECT_FALSE(takes("one"));
    EXPECT_TRUE(takes("two"));
}

// With SQLite the second waits before it begins.
INSTANTIATE_TEST_SUITE_P(OnPostgres, RivalsTest, ::testing::Values(fakes::DatabaseKind::kPostgres));

}  // namespace
}  // namespace nexa::accounts
