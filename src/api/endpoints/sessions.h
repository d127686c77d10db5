// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "accounts/session_gate.h"
#include "net/router.h"
#include "net/typed_route.h"
#include "protocol/session_views.h"

namespace nexa::api {

struct SessionEndpointsOptions {
    std::chrono::seconds cookie_lifetime{0};  ///< the session's
    std::vector<std::string> trusted_proxies;
};

/// /api/auth beside keys: logging in and out, registering, setting up, changing the password. The
/// session's token is in a cookie alone.
class SessionEndpoints {
public:
    SessionEndpoints(accounts::SessionGate& gate, SessionEndpointsOptions options)
        : gate_(gate), options_(std::move(options)) {}

    std::vector<net::Route> routes();

private:
    net::Task<net::Response> log_in(net::Call call, protocol::LogIn with);
    net::Task<net::Response> sign_up(net::Call call, protocol::SignUp wish);
    net::Task<net::Response> set_up(net::Call call, protocol::SetUp with);
    net::Task<net::Response> log_out(net::Call call);
    net::Task<net::Response> log_out_everywhere(net::Call call);
    net::Task<net::Response> change_password(net::Call call, protocol::PasswordChange change);
    net::Task<protocol::SessionView> show(net::Call call);

    /// Why this attempt is not even looked at, or nothing.
    std::optional<net::HttpError> refused(const std::string& address, const std::string& login);
    net::Task<net::Response> begun(net::Call call, accounts::SignedIn session, int status);

    accounts::SessionGate& gate_;
    SessionEndpointsOptions options_;
};

}  // namespace nexa::api
