// SPDX-License-Identifier: Apache-2.0
#include "api/authenticator.h"

#include <any>

#include "accounts/scopes.h"
#include "core/check.h"

namespace nexa::api {

std::optional<std::string> key_of(const net::RequestHead& head) {
    for (const std::string_view name : {"X-Nexa-Api-Key", "X-API-Key"}) {
        if (const std::string* value = head.headers.find(name)) {
            return *value;
        }
    }
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view authorization = head.headers.get("Authorization");
    if (authorization.size() > kBearer.size() &&
        net::equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
        return std::string(authorization.substr(kBearer.size()));
    }
    return std::nullopt;
}

const accounts::Principal& principal_of(const net::Principal& principal) {
    const auto* known = std::any_cast<accounts::Principal>(&principal.details);
    NEXA_CHECK(known != nullptr);  // the row is not public, so the authenticator was asked
    return *known;
}

net::Task<net::Principal> Authenticator::authenticate(net::AuthRequest request) {
    auto text = key_of(*request.head);
    if (!text) {
        co_return Error::unauthenticated("the request carries no API key")
            .hint("send it as the header X-Nexa-Api-Key");
    }
    CO_TRY(accounts::Principal known, co_await gate_.authenticate(*std::move(text)));
    if (!accounts::allows(known.scopes, request.route->scope)) {
        co_return Error::permission_denied("this key lacks the scope '{}'", request.route->scope)
            .hint("use a key that has it, or make one with `nexa key create`");
    }
    co_return net::Principal{
        .id = known.key_id, .tenant_id = known.project_id, .details = std::move(known)
    };
}

}  // namespace nexa::api
