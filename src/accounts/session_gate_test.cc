// SPDX-License-Identifier: Apache-2.0
#include "accounts/session_gate.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "accounts/people_test_internal.h"
#include "accounts/scopes.h"
#include "core/file.h"
#include "fakes/proves.h"

namespace nexa::accounts {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

class SessionGateTest : public PeopleTest {
protected:
    std::string stored_password(const std::string& login) {
        const auto row = database->read([&](db::Tx& tx) {
            return tx.query_one(sql::kFindPassword, {{"login", login}});
        });
        return (*row)->text("encoded");
    }
};

TEST_P(SessionGateTest, ASessionIsItsUserInTheUsersProject) {
    const SignedIn ada = sign_up("Ada");
    const Principal who = principal(ada).value();
    EXPECT_EQ(who.user_id, ada.user.user_id);
    EXPECT_EQ(ada.user.name, "ada");
    EXPECT_TRUE(who.is_session);
    EXPECT_FALSE(who.is_admin);
    EXPECT_EQ(who.role, Role::kOwner);
    EXPECT_TRUE(allows(who.scopes, "jobs:write"));
    EXPECT_FALSE(allows(who.scopes, "users:read"));
}

TEST_P(SessionGateTest, AWrongPasswordAndAnUnknownUserGetOneAnswer) {
    NEXA_PROVES("F-84");
    sign_up("ada");
    const auto wrong = log_in("ada", "correct hors");
    const auto unknown = log_in("nobody");
    ASSERT_FALSE(wrong);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(wrong.error().code, ErrorCode::kUnauthenticated);
    EXPECT_EQ(wrong.error().to_string(), unknown.error().to_string());
    EXPECT_TRUE(log_in("ADA"));
    const std::vector<std::string> seen = actions();
    EXPECT_EQ(std::ranges::count(seen, "session.refused"), 2);
    EXPECT_EQ(std::ranges::count(seen, "session.started"), 2);
}

TEST_P(SessionGateTest, AnUnusedSessionEndsAndAUsedOneGoesOnToItsEnd) {
    const SignedIn unused = sign_up("ada");
    const SignedIn used = log_in("ada").value();
    constexpr int kHalves = 55;  // of the time that it may be unused, nearly to its end
    const microseconds half = options().idle_max / 2;
    for (int i = 0; i < kHalves; ++i) {
        clock.advance(half);
        ASSERT_TRUE(principal(used)) << i;
        // The note that it was used is written behind the answer's back.
        ASSERT_TRUE(writer->run([](db::Tx&) { return Status(); }));
        if (i == 1) {
            EXPECT_FALSE(principal(unused));
        }
    }
    clock.advance(options().lifetime - kHalves * half - microseconds{1});
    EXPECT_TRUE(principal(used));
    clock.advance(microseconds{1});
    EXPECT_FALSE(principal(used));
}

TEST_P(SessionGateTest, TheMomentAnUnusedSessionEndsIsItsLast) {
    const SignedIn ada = sign_up("ada");
    clock.advance(options().idle_max);
    EXPECT_EQ(principal(ada).error().code, ErrorCode::kUnauthenticated);
}

TEST_P(SessionGateTest, WhatIsNoTokenOfOursIsRefused) {
    const SignedIn ada = sign_up("ada");
    std::string other = ada.token;
    other[0] = other[0] == 'a' ? 'b' : 'a';
    for (const std::string& token :
         {std::string(), other, ada.token + "x", std::string(43, '\0'), std::string(100'000, 'a')
         }) {
        const auto refused = wait(sessions->authenticate(token, std::nullopt));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
    }
}

TEST_P(SessionGateTest, OnlyProjectsOfTheUserAreReached) {
    const SignedIn ada = sign_up("ada");
    const SignedIn bob = sign_up("bob");
    const std::string bobs = principal(bob)->project_id;
    const auto foreign = wait(sessions->authenticate(ada.token, bobs));
    const auto unknown = wait(sessions->authenticate(ada.token, "prj_none"));
    EXPECT_EQ(foreign.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
}

TEST_P(SessionGateTest, AnAdministratorReachesAForeignProjectOnlyToAdministerIt) {
    const SignedIn ada = sign_up("ada");
    const std::string adas = principal(ada)->project_id;
    const Invitation invitation = wait(directory->invite_again(admin.user_id, admin)).value();
    const SignedIn chief = wait(sessions->set_up({
                                    .token = invitation.token,
                                    .password = Secret(kPassword),
                                    .address = "::1",
                                }))
                               .value();
    const Principal there = wait(sessions->authenticate(chief.token, adas)).value();
    EXPECT_EQ(there.project_id, adas);
    EXPECT_EQ(there.role, std::nullopt);
    EXPECT_TRUE(allows(there.scopes, "members:write"));
    EXPECT_FALSE(allows(there.scopes, "jobs:read"));
    EXPECT_TRUE(allows(principal(chief)->scopes, "jobs:write"));
}

TEST_P(SessionGateTest, LoggingOutEndsOneSessionAndEverywhereAll) {
    const SignedIn first = sign_up("ada");
    const SignedIn second = log_in("ada").value();
    const SignedIn third = log_in("ada").value();
    ASSERT_TRUE(wait(sessions->log_out(principal(first).value())));
    EXPECT_FALSE(principal(first));
    EXPECT_TRUE(principal(second));
    ASSERT_TRUE(wait(sessions->log_out_everywhere(principal(second).value())));
    EXPECT_FALSE(principal(second));
    EXPECT_FALSE(principal(third));
    EXPECT_EQ(wait(sessions->log_out(admin)).error().code, ErrorCode::kPermissionDenied);
}

TEST_P(SessionGateTest, ANewPasswordEndsTheOtherSessions) {
    const SignedIn here = sign_up("ada");
    const SignedIn there = log_in("ada").value();
    const Principal who = principal(here).value();
    const auto change = [&](std::string_view old_one, std::string_view new_one) {
        return wait(sessions->change_password(Secret(old_one), Secret(new_one), who));
    };
    EXPECT_EQ(change("not this", "another good one").error().code, ErrorCode::kUnauthenticated);
    EXPECT_EQ(change(kPassword, "too short").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(change(kPassword, std::string(513, 'x')).error().code, ErrorCode::kInvalidArgument);
    ASSERT_TRUE(change(kPassword, "another good one"));
    EXPECT_TRUE(principal(here));
    EXPECT_FALSE(principal(there));
    EXPECT_FALSE(log_in("ada"));
    EXPECT_TRUE(log_in("ada", "another good one"));
}

TEST_P(SessionGateTest, APasswordIsHashedAgainWhenTheCostRises) {
    sign_up("ada");
    const std::string before = stored_password("ada");
    SessionOptions dearer = options();
    dearer.cost.cost_log2 = 11;
    sessions = open_sessions(dearer);
    EXPECT_FALSE(log_in("ada", "wrong password"));
    EXPECT_EQ(stored_password("ada"), before);
    ASSERT_TRUE(log_in("ada"));
    const std::string after = stored_password("ada");
    EXPECT_TRUE(after.starts_with("$scrypt$ln=11,"));
    ASSERT_TRUE(log_in("ada"));
    EXPECT_EQ(stored_password("ada"), after);
}

TEST_P(SessionGateTest, AttemptsAreCountedByUserAndByAddressAndSuccessesAreNot) {
    sign_up("ada");
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(sessions->admit("::1", i % 2 == 0 ? "ada" : "ADA").allowed);
    }
    const RateVerdict refused = sessions->admit("::1", "ada");
    EXPECT_FALSE(refused.allowed);
    EXPECT_EQ(refused.retry_after, std::chrono::seconds{30});
    EXPECT_TRUE(sessions->admit("::1", "bob").allowed);
    EXPECT_TRUE(sessions->admit("::2", "ada").allowed);  // who guesses elsewhere is not in the way
    ASSERT_TRUE(log_in("ada"));                          // gives one back
    EXPECT_TRUE(sessions->admit("::1", "ada").allowed);
    EXPECT_FALSE(sessions->admit("::1", "ada").allowed);
    int from_everywhere = 0;
    while (from_everywhere < 200 &&
           sessions->admit(fmt::format("1.2.3.{}", from_everywhere), "ada").allowed) {
        ++from_everywhere;
    }
    EXPECT_GT(from_everywhere, 50);
    EXPECT_LT(from_everywhere, 101);
    for (int i = 0; i < 30; ++i) {
        static_cast<void>(sessions->admit("::3", ""));
    }
    EXPECT_FALSE(sessions->admit("::3", "carol").allowed);
    EXPECT_TRUE(sessions->admit("::4", "carol").allowed);
}

TEST_P(SessionGateTest, PasswordsThatDoNotFitTheQueueAreRefusedAndNotWaitedFor) {
    net::WorkPool busy{{.name = "busy", .threads = 1, .queue_max = 1}};
    std::promise<void> let_go;
    const std::shared_future<void> gone(let_go.get_future());
    std::promise<void> taken;
    ASSERT_TRUE(busy.submit([&taken, gone] {
        taken.set_value();
        gone.wait();
    }));
    taken.get_future().wait();
    ASSERT_TRUE(busy.submit([] {}));
    const SessionGate::Collaborators with{*database, *writer, pools.db, busy, ids, clock, random};
    SessionGate gate(with, options());
    const auto refused =
        wait(gate.log_in({.login = "ada", .password = Secret(kPassword), .address = "::1"}));
    EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
    let_go.set_value();
    busy.stop();
}

TEST_P(SessionGateTest, AnInvitationIsGoodOnceAndUntilItsEnd) {
    const auto invite = [&](const std::string& name) {
        return wait(directory->invite({.name = name}, admin)).value();
    };
    const auto set_up = [&](const Invitation& invitation) {
        return wait(sessions->set_up(
            {.token = invitation.token, .password = Secret(kPassword), .address = "::1"}
        ));
    };
    const Invitation in_time = invite("ada");
    const Invitation late = invite("bob");
    clock.advance(std::chrono::days{7} - microseconds{1});
    EXPECT_TRUE(set_up(in_time));
    EXPECT_EQ(set_up(in_time).error().code, ErrorCode::kUnauthenticated);
    clock.advance(microseconds{1});
    EXPECT_EQ(set_up(late).error().code, ErrorCode::kUnauthenticated);
    EXPECT_FALSE(log_in("bob"));
    EXPECT_TRUE(log_in("ada"));
}

TEST_P(SessionGateTest, TheCsrfTokenIsOfTheSessionAndDoesNotShowIt) {
    const SignedIn one = sign_up("ada");
    const SignedIn other = log_in("ada").value();
    EXPECT_EQ(csrf_token(one.token), csrf_token(one.token));
    EXPECT_NE(csrf_token(one.token), csrf_token(other.token));
    EXPECT_EQ(csrf_token(one.token).find(one.token), std::string::npos);
}

TEST_P(SessionGateTest, OfTokensAndPasswordsNothingUsableIsStored) {
    const SignedIn ada = sign_up("ada");
    const Invitation invitation = wait(directory->invite({.name = "bob"}, admin)).value();
    writer->stop();
    std::size_t files = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(store->files())) {
        if (!file.is_regular_file()) {
            continue;
        }
        ++files;
        const std::string content = read_file(file.path(), 1 << 26).value();
        EXPECT_EQ(content.find(ada.token), std::string::npos) << file.path();
        EXPECT_EQ(content.find(invitation.token), std::string::npos) << file.path();
        EXPECT_EQ(content.find(kPassword), std::string::npos) << file.path();
    }
    EXPECT_GT(files, 0U);
}

NEXA_ON_BOTH_DATABASES(SessionGateTest);

}  // namespace
}  // namespace nexa::accounts
