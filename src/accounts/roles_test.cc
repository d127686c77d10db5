// SPDX-License-Identifier: Apache-2.0
#include "accounts/roles.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "accounts/scopes.h"

namespace nexa::accounts {
namespace {

using Scopes = std::vector<std::string>;

TEST(Roles, EachHasANameThatIsReadBack) {
    for (const Role role :
         {Role::kOwner, Role::kAdmin, Role::kDeveloper, Role::kViewer, Role::kBilling}) {
        EXPECT_EQ(role_from(to_string(role)).value(), role);
        const Scopes everything(all_scopes().begin(), all_scopes().end());
        EXPECT_TRUE(check_scopes(scopes_of_user(role, true), everything));
    }
    const auto unknown = role_from("boss");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().param, "role");
}

TEST(Roles, NoRoleOfAProjectReachesTheInstallation) {
    for (const Role role :
         {Role::kOwner, Role::kAdmin, Role::kDeveloper, Role::kViewer, Role::kBilling}) {
        const Scopes scopes = scopes_of_user(role, false);
        for (const std::string_view scope :
             {"users:read",
              "users:write",
              "workers:write",
              "gateway:read",
              "gateway:write",
              "ledger:read",
              "ledger:write",
              "system:read"}) {
            EXPECT_FALSE(allows(scopes, scope)) << to_string(role) << " " << scope;
        }
    }
}

TEST(Roles, AnOwnerWhoAdministersMayAllThereIs) {
    const Scopes scopes = scopes_of_user(Role::kOwner, true);
    for (const std::string_view scope : all_scopes()) {
        EXPECT_TRUE(allows(scopes, scope)) << scope;
    }
}

TEST(Roles, AViewerChangesNothingOfTheProject) {
    const Scopes scopes = scopes_of_user(Role::kViewer, false);
    for (const std::string_view scope :
         {"jobs:write",
          "artifacts:write",
          "deployments:write",
          "inference:write",
          "members:write",
          "audit:read",
          "billing:read"}) {
        EXPECT_FALSE(allows(scopes, scope)) << scope;
    }
    EXPECT_TRUE(allows(scopes, "jobs:read"));
}

TEST(Roles, AKeyIsNeverWiderThanItsUser) {
    const Scopes held{"jobs:write", "keys:read", "billing:read", "gateway:read"};
    EXPECT_EQ(narrowed(held, Role::kViewer, false), (Scopes{"jobs:read", "keys:read"}));
    EXPECT_EQ(
        narrowed(held, Role::kDeveloper, false), (Scopes{"jobs:write", "keys:read", "billing:read"})
    );
    EXPECT_EQ(narrowed(held, Role::kOwner, true), held);
    EXPECT_EQ(narrowed({}, Role::kOwner, true), Scopes{});
}

}  // namespace
}  // namespace nexa::accounts
