// SPDX-License-Identifier: Apache-2.0
#include "api/authenticator.h"

#include <any>

#include "accounts/scopes.h"
#include "api/caller.h"
#include "core/check.h"
#include "crypto/hmac.h"
#include "net/refused_caller.h"
#include "net/web_socket.h"

namespace nexa::api {

namespace {

bool is_change(const net::RequestHead& head) {
    return head.method != net::Method::kGet && head.method != net::Method::kHead &&
           head.method != net::Method::kOptions;
}

/// The project that a session is to act in.
std::optional<std::string> project_of(const net::RequestHead& head) {
    constexpr std::string_view kProjects = "/api/projects/";
    if (head.path.starts_with(kProjects)) {
        const std::string_view rest = std::string_view(head.path).substr(kProjects.size());
        return std::string(rest.substr(0, rest.find('/')));
    }
    const std::string* named = head.headers.find("X-Nexa-Project");
    return named != nullptr ? std::optional(*named) : std::nullopt;
}

}  // namespace

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
    if (net::wants_web_socket(head)) {
        constexpr std::string_view kKeyProtocol = "nexa.key.";
        for (const std::string& protocol : net::offered_protocols(head)) {
            if (protocol.starts_with(kKeyProtocol)) {
                return protocol.substr(kKeyProtocol.size());
            }
        }
    }
    return std::nullopt;
}

const accounts::Principal& principal_of(const net::Principal& principal) {
    const auto* known = std::any_cast<accounts::Principal>(&principal.details);
    NEXA_CHECK(known != nullptr);  // the row is not public, so the authenticator was asked
    return *known;
}

net::Task<accounts::Principal> Authenticator::known(std::shared_ptr<const net::RequestHead> of) {
    const net::RequestHead& head = *of;
    if (auto text = key_of(head)) {
        co_return co_await with_.keys.authenticate(*std::move(text));
    }
    auto token = session_token_of(head);
    if (!token) {
        co_return Error::unauthenticated("the request carries no API key")
            .hint("send it as the header X-Nexa-Api-Key");
    }
    // A page of another site can open a WebSocket here, and the browser adds our cookie.
    if (is_change(head) || net::wants_web_socket(head)) {
        CO_TRY_STATUS(check_same_origin(head));
    }
    if (is_change(head)) {
        const std::string_view shown = head.headers.get("X-Nexa-CSRF");
        if (!crypto::constant_time_equal(shown, accounts::csrf_token(*token))) {
            co_return Error::permission_denied("a change by cookie needs the session's CSRF token")
                .hint("send csrf_token of GET /api/auth/session as the header X-Nexa-CSRF");
        }
    }
    co_return co_await with_.sessions.authenticate(*std::move(token), project_of(head));
}

net::Task<void> Authenticator::look_again(
    std::shared_ptr<const net::RequestHead> head, std::vector<std::string> scopes
) {
    CO_TRY(const accounts::Principal who, co_await known(std::move(head)));
    for (const std::string& scope : scopes) {
        if (!accounts::allows(who.scopes, scope)) {
            co_return Error::permission_denied("this key lacks the scope '{}' now", scope);
        }
    }
    co_return ok();
}

std::optional<net::HttpError> Authenticator::over_limit(const accounts::Principal& principal) {
    if (principal.rate_limit_per_second) {
        const auto rate = accounts::Rate::of(*principal.rate_limit_per_second);
        const auto verdict = with_.limiter.take("k " + principal.key_id, rate);
        if (!verdict.allowed) {
            return too_many(verdict, "requests with this key");
        }
    }
    if (options_.per_user) {
        const auto verdict = with_.limiter.take("u " + principal.user_id, *options_.per_user);
        if (!verdict.allowed) {
            return too_many(verdict, "requests of this user");
        }
    }
    return std::nullopt;
}

net::Task<net::Principal> Authenticator::authenticate(net::AuthRequest request) {
    std::string address = client_address(*request.head, options_.trusted_proxies);
    if (options_.per_address) {
        const auto verdict = with_.limiter.take("a " + address, *options_.per_address);
        if (!verdict.allowed) {
            co_return net::refused_caller(too_many(verdict, "requests from this address"));
        }
    }
    const std::string& scope = request.route->scope;
    CO_TRY(accounts::Principal who, co_await known(request.head));
    if (auto refusal = over_limit(who)) {
        co_return net::refused_caller(*std::move(refusal), who.key_id);
    }
    if (!accounts::allows(who.scopes, scope)) {
        co_return Error::permission_denied("this key lacks the scope '{}'", scope)
            .hint("use a key that has it, or make one with `nexa key create`");
    }
    who.address = std::move(address);
    net::Principal principal{.id = who.key_id, .tenant_id = who.project_id, .details = {}};
    principal.details = std::move(who);
    co_return principal;
}

}  // namespace nexa::api
