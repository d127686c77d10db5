// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::accounts {

/// What a key needs to ask deployed models for answers. Gateways check it.
inline constexpr std::string_view kInferenceScope = "inference:write";

/// Every scope there is: `resource:read` or `resource:write`. A key that may write may read.
/// `gateway:…`, `workers:write`, `ledger:…`, `users:…` and `system:read` are of the installation,
/// not of one project: gateways are shown all deployments and the hashes of all keys that may ask
/// them, workers all projects' jobs. Who orders workers about needs `fleet:write`. Who gets which:
/// roles.h.
std::span<const std::string_view> all_scopes();

/// What a worker's key needs: to register, take jobs, stage inputs and upload results.
std::vector<std::string> worker_scopes();

/// True if `held` allows `wanted`. An empty `wanted` asks for a good key only.
bool allows(std::span<const std::string> held, std::string_view wanted);

/// Checks scopes asked for a new key: each exists, and none is wider than what the creating key
/// holds. Errors: kInvalidArgument with the near name, kPermissionDenied.
Status check_scopes(std::span<const std::string> wanted, std::span<const std::string> held);

}  // namespace nexa::accounts
