// SPDX-License-Identifier: Apache-2.0
#include "accounts/scopes.h"

#include <algorithm>
#include <array>

#include "core/near_name.h"

namespace nexa::accounts {

namespace {

constexpr std::array<std::string_view, 26> kScopes{
    "jobs:read",     "jobs:write",    "artifacts:read",   "artifacts:write",   "workers:read",
    "workers:write", "fleet:write",   "deployments:read", "deployments:write", "gateway:read",
    "gateway:write", kInferenceScope, "billing:read",     "billing:write",     "ledger:read",
    "ledger:write",  "keys:read",     "keys:write",       "projects:read",     "projects:write",
    "members:read",  "members:write", "users:read",       "users:write",       "audit:read",
    "system:read",
};

constexpr std::string_view kReadSuffix = ":read";

}  // namespace

std::span<const std::string_view> all_scopes() {
    return kScopes;
}

std::vector<std::string> worker_scopes() {
    return {"workers:write"};
}

bool allows(std::span<const std::string> held, std::string_view wanted) {
    if (wanted.empty() || std::ranges::find(held, wanted) != held.end()) {
        return true;
    }
    if (!wanted.ends_with(kReadSuffix)) {
        return false;
    }
    const std::string writing =
        fmt::format("{}:write", wanted.substr(0, wanted.size() - kReadSuffix.size()));
    return std::ranges::find(held, writing) != held.end();
}

Status check_scopes(std::span<const std::string> wanted, std::span<const std::string> held) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::string place = fmt::format("[{}]", i);
        if (std::ranges::find(kScopes, wanted[i]) == kScopes.end()) {
            const auto near = nearest(wanted[i], kScopes);
            return Error::invalid_argument("there is no scope '{}'", wanted[i])
                .at(place)
                .at("scopes")
                .hint(
                    near ? fmt::format("did you mean '{}'?", *near)
                         : fmt::format("the scopes are {}", fmt::join(kScopes, ", "))
                );
        }
        if (!allows(held, wanted[i])) {
            return Error::permission_denied(
                       "a key cannot give what it does not hold: '{}'", wanted[i]
            )
                .at(place)
                .at("scopes");
        }
    }
    return {};
}

}  // namespace nexa::accounts
