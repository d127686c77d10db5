// SPDX-License-Identifier: Apache-2.0
#include "api/caller.h"

#include <algorithm>

namespace nexa::api {

namespace {

constexpr std::string_view kCookie = "nexa_session";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_trusted(std::span<const std::string> trusted, std::string_view address) {
    return std::ranges::find(trusted, address) != trusted.end();
}

std::string_view attributes(const net::RequestHead& head) {
    const bool secure = net::equals_ignoring_case(head.headers.get("X-Forwarded-Proto"), "https");
    return secure ? "; Path=/; HttpOnly; SameSite=Strict; Secure"
                  : "; Path=/; HttpOnly; SameSite=Strict";
}

}  // namespace

std::string client_address(
    const net::RequestHead& head, std::span<const std::string> trusted_proxies
) {
    if (!is_trusted(trusted_proxies, head.peer_address)) {
        return head.peer_address;
    }
    // Each proxy adds whom it heard from at the end: the first that is not ours is the client.
    std::string_view rest = head.headers.get("X-Forwarded-For");
    while (!rest.empty()) {
        const std::size_t comma = rest.rfind(',');
        const std::string_view last =
            trimmed(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
        if (!last.empty() && !is_trusted(trusted_proxies, last)) {
            return std::string(last);
        }
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
    }
    return head.peer_address;
}

std::optional<std::string> session_token_of(const net::RequestHead& head) {
    for (const net::Header& field : head.headers) {
        if (!net::equals_ignoring_case(field.name, "Cookie")) {
            continue;
        }
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::size_t end = rest.find(';');
            const std::string_view pair = trimmed(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
            const std::size_t equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == kCookie) {
                return std::string(pair.substr(equals + 1));
            }
        }
    }
    return std::nullopt;
}

std::string session_cookie(
    const net::RequestHead& head, std::string_view token, std::chrono::seconds lifetime
) {
    return fmt::format("{}={}; Max-Age={}{}", kCookie, token, lifetime.count(), attributes(head));
}

std::string ended_session_cookie(const net::RequestHead& head) {
    return session_cookie(head, "", std::chrono::seconds{0});
}

Status check_same_origin(const net::RequestHead& head) {
    const std::string_view site = head.headers.get("Sec-Fetch-Site");
    bool foreign = !site.empty() && site != "same-origin" && site != "none";
    if (const std::string* origin = head.headers.find("Origin")) {
        const std::size_t scheme_end = origin->find("://");
        const std::string_view host =
            scheme_end == std::string::npos ? "" : std::string_view(*origin).substr(scheme_end + 3);
        foreign =
            foreign || host.empty() || !net::equals_ignoring_case(host, head.headers.get("Host"));
    }
    if (foreign) {
        return Error::permission_denied("this was sent by a page of another site");
    }
    return {};
}

net::HttpError too_many(const accounts::RateVerdict& verdict, std::string_view of_what) {
    const std::string wait = std::to_string(verdict.retry_after.count());
    return {
        .error = Error::resource_exhausted("too many {}", of_what)
                     .hint(fmt::format("try again in {} s", wait)),
        .retry_after = verdict.retry_after,
        .headers =
            {
                {"x-ratelimit-limit", std::to_string(verdict.limit)},
                {"x-ratelimit-remaining", std::to_string(verdict.remaining)},
                {"x-ratelimit-reset", wait},
            },
    };
}

}  // namespace nexa::api
