// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accounts/key_gate.h"
#include "accounts/rate_limiter.h"
#include "accounts/session_gate.h"
#include "net/http_server.h"
#include "net/http_types.h"

namespace nexa::api {

/// The key of a request: X-Nexa-Api-Key, Authorization: Bearer, or X-API-Key. Of a WebSocket's
/// handshake also the offered subprotocol "nexa.key." with the key behind it: a browser can send
/// nothing else.
std::optional<std::string> key_of(const net::RequestHead& head);

/// Who sent a request that the authenticator let through.
const accounts::Principal& principal_of(const net::Principal& principal);

struct AuthenticatorOptions {
    std::optional<accounts::Rate> per_user;     ///< all keys and sessions of one together
    std::optional<accounts::Rate> per_address;  ///< also of requests that are then refused
    std::vector<std::string> trusted_proxies;   ///< addresses whose X-Forwarded-For is believed
};

/// Answers the server's question who may use a route: a good key, or a session's cookie, whose
/// scopes allow the row's, and which did not ask too often. Thread-safe.
///
/// A session acts in the project that the header X-Nexa-Project or a path below /api/projects/
/// names, or in its user's oldest. A change by cookie has to come from our own pages and show the
/// session's X-Nexa-CSRF.
class Authenticator {
public:
    struct Collaborators {
        accounts::KeyGate& keys;
        accounts::SessionGate& sessions;
        accounts::RateLimiter& limiter;
    };
    explicit Authenticator(Collaborators with, AuthenticatorOptions options = {})
        : with_(with), options_(std::move(options)) {}

    /// Errors: kUnauthenticated (no key or session, or none that is good), kPermissionDenied (its
    /// scopes do not reach, or the change comes from elsewhere), kNotFound (a session's project).
    /// Too many requests are a refused caller, with 429.
    net::Task<net::Principal> authenticate(net::AuthRequest request);

    /// Whether who sent a request that was let through might still send it: for answers that go on.
    /// Counts towards no limit. Errors: those of authenticate(), for the caller's sake alone.
    net::Task<void> look_again(
        std::shared_ptr<const net::RequestHead> head, std::vector<std::string> scopes
    );

private:
    net::Task<accounts::Principal> known(std::shared_ptr<const net::RequestHead> of);
    std::optional<net::HttpError> over_limit(const accounts::Principal& principal);

    Collaborators with_;
    AuthenticatorOptions options_;
};

}  // namespace nexa::api
