// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::accounts {

/// What a user is in a project.
enum class Role : std::uint8_t { kOwner, kAdmin, kDeveloper, kViewer, kBilling };

std::string_view to_string(Role role);
/// Errors: kInvalidArgument at "role", with the roles there are.
Result<Role> role_from(std::string_view text);

/// What a role may do in its project. A closed table: roles.cc.
std::span<const std::string_view> role_scopes(Role role);
/// What an administrator of the installation may do besides, in no project: its users, its
/// workers and gateways (which see every project's jobs and models), its metrics.
std::span<const std::string_view> admin_scopes();

/// All scopes of a user with this role; of an administrator, also those. Without a role: what
/// anyone who is signed in may do.
std::vector<std::string> scopes_of_user(std::optional<Role> role, bool is_admin);
/// What of `held` the role leaves: a key is never wider than its user is now.
std::vector<std::string> narrowed(std::span<const std::string> held, Role role, bool is_admin);

}  // namespace nexa::accounts
