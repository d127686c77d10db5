// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "accounts/key_gate.h"
#include "net/http_server.h"
#include "net/http_types.h"

namespace nexa::api {

/// The key of a request: X-Nexa-Api-Key, Authorization: Bearer, or X-API-Key.
std::optional<std::string> key_of(const net::RequestHead& head);

/// Who sent a request that the authenticator let through.
const accounts::Principal& principal_of(const net::Principal& principal);

/// Answers the server's question who may use a route: a good key whose scopes allow the row's.
/// Thread-safe.
class Authenticator {
public:
    explicit Authenticator(accounts::KeyGate& gate) : gate_(gate) {}

    /// Errors: kUnauthenticated (no key, or none that is good), kPermissionDenied (its scopes do
    /// not reach).
    net::Task<net::Principal> authenticate(net::AuthRequest request);

private:
    accounts::KeyGate& gate_;
};

}  // namespace nexa::api
