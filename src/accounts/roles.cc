// SPDX-License-Identifier: Apache-2.0
#include "accounts/roles.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "accounts/scopes.h"

namespace nexa::accounts {

namespace {

constexpr std::array<std::string_view, 5> kRoles{
    "owner", "admin", "developer", "viewer", "billing"
};

/// Owners and admins differ in whom they may appoint, not in scopes: directory.cc.
constexpr std::array<std::string_view, 10> kLeads{
    "jobs:write",
    "artifacts:write",
    "deployments:write",
    kInferenceScope,
    "workers:read",
    "billing:write",
    "keys:write",
    "projects:write",
    "members:write",
    "audit:read",
};
constexpr std::array<std::string_view, 9> kDevelops{
    "jobs:write",
    "artifacts:write",
    "deployments:write",
    kInferenceScope,
    "workers:read",
    "billing:read",
    "keys:write",
    "projects:write",
    "members:read",
};
/// A viewer's keys read as the viewer does.
constexpr std::array<std::string_view, 7> kViews{
    "jobs:read",
    "artifacts:read",
    "deployments:read",
    "workers:read",
    "keys:write",
    "projects:write",
    "members:read",
};
constexpr std::array<std::string_view, 4> kBills{
    "billing:write",
    "keys:write",
    "projects:write",
    "members:read",
};
constexpr std::array<std::string_view, 1> kAnyone{"projects:write"};
constexpr std::array<std::string_view, 10> kAdministers{
    "users:write",
    "members:write",
    "projects:write",
    "audit:read",
    "workers:write",
    "fleet:write",
    "gateway:read",
    "gateway:write",
    "ledger:write",
    "system:read",
};

}  // namespace

std::string_view to_string(Role role) {
    return kRoles[static_cast<std::size_t>(role)];
}

Result<Role> role_from(std::string_view text) {
    const auto found = std::ranges::find(kRoles, text);
    if (found == kRoles.end()) {
        return Error::invalid_argument("there is no role '{}'", text)
            .at("role")
            .hint(fmt::format("the roles are {}", fmt::join(kRoles, ", ")));
    }
    return static_cast<Role>(found - kRoles.begin());
}

std::span<const std::string_view> role_scopes(Role role) {
    switch (role) {
        case Role::kOwner:
        case Role::kAdmin:
            return kLeads;
        case Role::kDeveloper:
            return kDevelops;
        case Role::kViewer:
            return kViews;
        case Role::kBilling:
            break;
    }
    return kBills;
}

std::span<const std::string_view> admin_scopes() {
    return kAdministers;
}

std::vector<std::string> scopes_of_user(std::optional<Role> role, bool is_admin) {
    const auto own = role ? role_scopes(*role) : std::span<const std::string_view>(kAnyone);
    std::vector<std::string> scopes(own.begin(), own.end());
    if (is_admin) {
        for (const std::string_view scope : kAdministers) {
            if (std::ranges::find(scopes, scope) == scopes.end()) {
                scopes.emplace_back(scope);
            }
        }
    }
    return scopes;
}

std::vector<std::string> narrowed(std::span<const std::string> held, Role role, bool is_admin) {
    const std::vector<std::string> granted = scopes_of_user(role, is_admin);
    std::vector<std::string> left;
    for (const std::string& scope : held) {
        const std::string reading = scope.substr(0, scope.find(':')) + ":read";
        if (allows(granted, scope)) {
            left.push_back(scope);
        } else if (allows(granted, reading)) {
            left.push_back(reading);
        }
    }
    return left;
}

}  // namespace nexa::accounts
