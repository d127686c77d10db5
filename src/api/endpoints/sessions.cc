// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/sessions.h"

#include "api/authenticator.h"
#include "api/caller.h"
#include "api/endpoints/users.h"
#include "api/rows.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;

net::Route form_row(net::Auth auth, std::string path, std::string id, std::string summary) {
    return {
        .method = Method::kPost,
        .path = std::move(path),
        .operation_id = std::move(id),
        .summary = std::move(summary),
        .tag = "sessions",
        .auth = auth,
        .body_bytes_max = kFormBytesMax,
    };
}

net::Route begins(net::Route route, int status) {
    route.success_status = status;
    route.response = net::body_type<protocol::SessionView>();
    return route;
}

net::Route ends(net::Route route) {
    route.success_status = 204;
    return route;
}

protocol::SessionView view_of(
    const accounts::Principal& principal, const accounts::UserRecord& user
) {
    protocol::SessionView view{
        .user = to_view(user),
        .project_id = std::nullopt,
        .role = std::nullopt,
        .scopes = principal.scopes,
        .csrf_token = std::nullopt,
    };
    if (!principal.project_id.empty()) {
        view.project_id = principal.project_id;
    }
    if (principal.role) {
        view.role = std::string(accounts::to_string(*principal.role));
    }
    return view;
}

net::Response without_cookie(const net::RequestHead& head) {
    net::Response response = net::Response::empty(204);
    response.headers.set("Set-Cookie", ended_session_cookie(head));
    return response;
}

}  // namespace

std::vector<net::Route> SessionEndpoints::routes() {
    using net::Auth;
    net::Route show_row{
        .path = "/api/auth/session",
        .operation_id = "sessions_show",
        .summary = "Who you are, where, and what you may do there",
        .tag = "sessions",
    };
    return {
        net::typed(
            begins(form_row(Auth::kPublic, "/api/auth/login", "sessions_log_in", "Log in"), 200),
            *this,
            &SessionEndpoints::log_in
        ),
        net::typed(
            begins(
                form_row(Auth::kPublic, "/api/auth/register", "sessions_register", "Register"), 201
            ),
            *this,
            &SessionEndpoints::sign_up
        ),
        net::typed(
            begins(
                form_row(
                    Auth::kPublic,
                    "/api/auth/set-up",
                    "sessions_set_up",
                    "Set a password with an invitation's token"
                ),
                200
            ),
            *this,
            &SessionEndpoints::set_up
        ),
        net::typed(
            ends(form_row(Auth::kKey, "/api/auth/logout", "sessions_log_out", "End the session")),
            *this,
            &SessionEndpoints::log_out
        ),
        net::typed(
            ends(form_row(
                Auth::kKey,
                "/api/auth/logout-everywhere",
                "sessions_log_out_everywhere",
                "End all your sessions"
            )),
            *this,
            &SessionEndpoints::log_out_everywhere
        ),
        net::typed(
            ends(form_row(
                Auth::kKey,
                "/api/auth/password",
                "sessions_change_password",
                "Change your password; ends your other sessions"
            )),
            *this,
            &SessionEndpoints::change_password
        ),
        net::typed(std::move(show_row), *this, &SessionEndpoints::show),
    };
}

std::optional<net::HttpError> SessionEndpoints::refused(
    const std::string& address, const std::string& login
) {
    const accounts::RateVerdict verdict = gate_.admit(address, login);
    return verdict.allowed ? std::nullopt : std::optional(too_many(verdict, "attempts"));
}

net::Task<net::Response> SessionEndpoints::begun(
    net::Call call, accounts::SignedIn session, int status
) {
    CO_TRY(const auto principal, co_await gate_.authenticate(session.token, std::nullopt));
    protocol::SessionView view = view_of(principal, session.user);
    view.csrf_token = accounts::csrf_token(session.token);
    net::Response response = net::Response::json(to_json(view), status);
    response.headers.set("Cache-Control", "no-store");
    response.headers.set(
        "Set-Cookie", session_cookie(*call.head, session.token, options_.cookie_lifetime)
    );
    co_return response;
}

net::Task<net::Response> SessionEndpoints::log_in(net::Call call, protocol::LogIn with) {
    // A page of another site must not log its victim in as somebody else.
    CO_TRY_STATUS(check_same_origin(*call.head));
    const std::string address = client_address(*call.head, options_.trusted_proxies);
    if (auto refusal = refused(address, with.user)) {
        co_return net::Response::failure(*std::move(refusal));
    }
    accounts::SessionGate::Credentials credentials{
        .login = std::move(with.user), .password = Secret(with.password), .address = address
    };
    CO_TRY(auto session, co_await gate_.log_in(std::move(credentials)));
    co_return co_await begun(std::move(call), std::move(session), 200);
}

net::Task<net::Response> SessionEndpoints::sign_up(net::Call call, protocol::SignUp wish) {
    CO_TRY_STATUS(check_same_origin(*call.head));
    const std::string address = client_address(*call.head, options_.trusted_proxies);
    if (auto refusal = refused(address, "")) {
        co_return net::Response::failure(*std::move(refusal));
    }
    accounts::SessionGate::SignUp wanted{
        .name = std::move(wish.name),
        .email = std::move(wish.email),
        .password = Secret(wish.password),
        .address = address,
    };
    CO_TRY(auto session, co_await gate_.sign_up(std::move(wanted)));
    co_return co_await begun(std::move(call), std::move(session), 201);
}

net::Task<net::Response> SessionEndpoints::set_up(net::Call call, protocol::SetUp with) {
    CO_TRY_STATUS(check_same_origin(*call.head));
    const std::string address = client_address(*call.head, options_.trusted_proxies);
    if (auto refusal = refused(address, "")) {
        co_return net::Response::failure(*std::move(refusal));
    }
    accounts::SessionGate::SetUp wanted{
        .token = std::move(with.setup_token),
        .password = Secret(with.password),
        .address = address,
    };
    CO_TRY(auto session, co_await gate_.set_up(std::move(wanted)));
    co_return co_await begun(std::move(call), std::move(session), 200);
}

net::Task<net::Response> SessionEndpoints::log_out(net::Call call) {
    CO_TRY_STATUS(co_await gate_.log_out(principal_of(call.principal)));
    co_return without_cookie(*call.head);
}

net::Task<net::Response> SessionEndpoints::log_out_everywhere(net::Call call) {
    CO_TRY_STATUS(co_await gate_.log_out_everywhere(principal_of(call.principal)));
    co_return without_cookie(*call.head);
}

net::Task<net::Response> SessionEndpoints::change_password(
    net::Call call, protocol::PasswordChange change
) {
    const accounts::Principal& principal = principal_of(call.principal);
    if (auto refusal = refused(principal.address, principal.user_id)) {
        co_return net::Response::failure(*std::move(refusal));
    }
    CO_TRY_STATUS(co_await gate_.change_password(
        Secret(change.old_password), Secret(change.new_password), principal
    ));
    co_return net::Response::empty(204);
}

net::Task<protocol::SessionView> SessionEndpoints::show(net::Call call) {
    const accounts::Principal& principal = principal_of(call.principal);
    CO_TRY(const auto user, co_await gate_.user(principal.user_id));
    protocol::SessionView view = view_of(principal, user);
    if (principal.is_session) {
        if (const auto token = session_token_of(*call.head)) {
            view.csrf_token = accounts::csrf_token(*token);
        }
    }
    co_return view;
}

}  // namespace nexa::api
