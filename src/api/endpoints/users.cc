// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/users.h"

#include "api/authenticator.h"
#include "api/query.h"
#include "api/rows.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{.tag = "users", .read_scope = "users:read", .write_scope = "users:write"};

protocol::AuditEntryView entry_view(const accounts::AuditEntry& entry) {
    return {
        .sequence = entry.sequence,
        .at = to_rfc3339(entry.at),
        .action = entry.action,
        .target = entry.target,
        .user_id = entry.user_id,
        .key_id = entry.key_id,
        .project_id = entry.project_id,
        .address = entry.address,
        .details = entry.details,
    };
}

net::Response shown_once(const accounts::Invitation& invitation) {
    const protocol::UserInvited invited{
        .user = to_view(invitation.user),
        .setup_token = invitation.token,
        .expires_at = to_rfc3339(invitation.expires_at),
    };
    net::Response response = net::Response::json(to_json(invited), 201);
    response.headers.set("Cache-Control", "no-store");
    return response;
}

net::Route audit_row() {
    net::Route route{
        .path = "/api/audit-trail",
        .operation_id = "audit_list",
        .summary = "Who changed what, newest first",
        .tag = "audit",
        .scope = "audit:read",
    };
    route.parameters = {
        {.name = "project_id", .description = "Only in this project"},
        {.name = "action", .description = "Only this action: key.created"},
        {.name = "limit",
         .description = "Entries per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    return route;
}

net::Route invited_row(net::Route route) {
    route.body_bytes_max = kFormBytesMax;
    route.success_status = 201;
    route.response = net::body_type<protocol::UserInvited>();
    return route;
}

}  // namespace

protocol::UserView to_view(const accounts::UserRecord& user) {
    return {
        .user_id = user.user_id,
        .name = user.name,
        .email = user.email,
        .status = user.status,
        .is_admin = user.is_admin,
        .created_at = to_rfc3339(user.created_at),
    };
}

std::vector<net::Route> UserEndpoints::routes() {
    net::Route list_row =
        row(kNoun, {Method::kGet, "/api/users", "users_list", "List the installation's users"});
    list_row.parameters = {
        {.name = "limit",
         .description = "Users per page, 1 to 100",
         .schema = R"({"type":"integer"})"},
        {.name = "after", .description = "next_cursor of the page before"},
    };
    return {
        net::typed(
            invited_row(row(
                kNoun,
                {Method::kPost, "/api/users", "users_invite", "Invite a user by a set-up token"}
            )),
            *this,
            &UserEndpoints::invite
        ),
        net::typed(std::move(list_row), *this, &UserEndpoints::list),
        net::typed(
            row(kNoun,
                {Method::kPatch, "/api/users/{user_id}", "users_change", "Disable or enable a user"}
            ),
            *this,
            &UserEndpoints::change
        ),
        net::typed(
            invited_row(
                row(kNoun,
                    {Method::kPost,
                     "/api/users/{user_id}/invitation",
                     "users_invite_again",
                     "A new set-up token, also for who forgot the password"})
            ),
            *this,
            &UserEndpoints::invite_again
        ),
        net::typed(audit_row(), *this, &UserEndpoints::audit_trail),
    };
}

net::Task<net::Response> UserEndpoints::invite(net::Call call, protocol::UserCreate wish) {
    CO_TRY(const accounts::Role role, accounts::role_from(wish.role));
    accounts::UserWish wanted{
        .name = std::move(wish.name),
        .email = std::move(wish.email),
        .is_admin = wish.is_admin,
        .project_id = std::move(wish.project_id),
        .role = role,
    };
    CO_TRY(
        const auto invitation,
        co_await directory_.invite(std::move(wanted), principal_of(call.principal))
    );
    co_return shown_once(invitation);
}

net::Task<net::Response> UserEndpoints::invite_again(net::Call call) {
    CO_TRY(
        const auto invitation,
        co_await directory_.invite_again(call.parameter("user_id"), principal_of(call.principal))
    );
    co_return shown_once(invitation);
}

net::Task<protocol::UserList> UserEndpoints::list(net::Call call) {
    CO_TRY(const int limit, limit_parameter(call.head->query));
    // One more than asked for says whether there is another page.
    CO_TRY(
        auto users,
        co_await directory_.users(text_parameter(call.head->query, "after").value_or(""), limit + 1)
    );
    protocol::UserList list{.has_more = users.size() > static_cast<std::size_t>(limit)};
    if (list.has_more) {
        users.pop_back();
        list.next_cursor = users.back().user_id;
    }
    for (const accounts::UserRecord& user : users) {
        list.data.push_back(to_view(user));
    }
    co_return list;
}

net::Task<protocol::UserView> UserEndpoints::change(net::Call call, protocol::UserChange wish) {
    CO_TRY(
        const auto user,
        co_await directory_.set_status(
            call.parameter("user_id"), std::move(wish.status), principal_of(call.principal)
        )
    );
    co_return to_view(user);
}

net::Task<protocol::AuditPage> UserEndpoints::audit_trail(net::Call call) {
    const net::Query& query = call.head->query;
    CO_TRY(const int limit, limit_parameter(query));
    CO_TRY(
        const auto before,
        integer_parameter(
            query, "after", {.least = 0, .greatest = INT64_MAX, .fallback = INT64_MAX}
        )
    );
    accounts::AuditFilter filter{
        .project_id = text_parameter(query, "project_id"),
        .action = text_parameter(query, "action"),
        .before = before,
        .limit = limit + 1,
    };
    CO_TRY(
        auto entries,
        co_await directory_.audit_trail(std::move(filter), principal_of(call.principal))
    );
    protocol::AuditPage page{.has_more = entries.size() > static_cast<std::size_t>(limit)};
    if (page.has_more) {
        entries.pop_back();
        page.next_cursor = entries.back().sequence;
    }
    for (const accounts::AuditEntry& entry : entries) {
        page.data.push_back(entry_view(entry));
    }
    co_return page;
}

}  // namespace nexa::api
