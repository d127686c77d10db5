// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "accounts/rate_limiter.h"
#include "core/result.h"
#include "net/http_types.h"

namespace nexa::api {

/// Where a request comes from: the peer, or whom the proxies in front of us say they speak for, as
/// far as they are ours. X-Forwarded-For of anyone else is not believed.
std::string client_address(
    const net::RequestHead& head, std::span<const std::string> trusted_proxies
);

/// The token in the session's cookie.
std::optional<std::string> session_token_of(const net::RequestHead& head);
/// The Set-Cookie that begins a session: HttpOnly, SameSite=Strict, and Secure where the client
/// speaks TLS to the proxy in front of us.
std::string session_cookie(
    const net::RequestHead& head, std::string_view token, std::chrono::seconds lifetime
);
/// The Set-Cookie that takes it back.
std::string ended_session_cookie(const net::RequestHead& head);

/// Whether a browser may have been made to send this by another site: Sec-Fetch-Site and Origin say
/// so. Errors: kPermissionDenied.
Status check_same_origin(const net::RequestHead& head);

/// 429 with Retry-After and what is left.
net::HttpError too_many(const accounts::RateVerdict& verdict, std::string_view of_what);

}  // namespace nexa::api
