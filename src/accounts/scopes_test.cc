// SPDX-License-Identifier: Apache-2.0
#include "accounts/scopes.h"

#include <gtest/gtest.h>

namespace nexa::accounts {
namespace {

using Scopes = std::vector<std::string>;

TEST(Scopes, WritingIncludesReadingAndNotTheOtherWayRound) {
    EXPECT_TRUE(allows(Scopes{"jobs:write"}, "jobs:read"));
    EXPECT_TRUE(allows(Scopes{"jobs:write"}, "jobs:write"));
    EXPECT_FALSE(allows(Scopes{"jobs:read"}, "jobs:write"));
    EXPECT_FALSE(allows(Scopes{"jobs:write"}, "keys:read"));
    EXPECT_FALSE(allows(Scopes{}, "jobs:read"));
}

TEST(Scopes, ARowWithoutScopeAsksForAGoodKeyOnly) {
    EXPECT_TRUE(allows(Scopes{}, ""));
}

TEST(Scopes, AKeyCannotGiveWhatItDoesNotHold) {
    EXPECT_TRUE(check_scopes(Scopes{"jobs:read"}, Scopes{"jobs:write"}));
    const auto wider = check_scopes(Scopes{"jobs:read", "keys:write"}, Scopes{"jobs:write"});
    ASSERT_FALSE(wider);
    EXPECT_EQ(wider.error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(wider.error().param, "scopes[1]");
}

TEST(Scopes, AnUnknownOneIsAnsweredWithTheNearName) {
    const auto unknown = check_scopes(Scopes{"job:read"}, Scopes{"jobs:write"});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(unknown.error().advice, "did you mean 'jobs:read'?");
}

TEST(Scopes, AWorkersAreKnownOnes) {
    const Scopes everything(all_scopes().begin(), all_scopes().end());
    EXPECT_TRUE(check_scopes(worker_scopes(), everything));
    for (const std::string_view scope : {"gateway:read", "gateway:write", "inference:write"}) {
        EXPECT_FALSE(allows(worker_scopes(), scope));
        EXPECT_TRUE(allows(everything, scope));
    }
}

}  // namespace
}  // namespace nexa::accounts
