// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/keys.h"

#include "api/authenticator.h"
#include "api/rows.h"
#include "core/json.h"

namespace nexa::api {

namespace {

using net::Method;

constexpr Noun kNoun{.tag = "keys", .read_scope = "keys:read", .write_scope = "keys:write"};

std::optional<std::string> shown(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
}

protocol::KeyView to_view(const accounts::KeyRecord& key) {
    return {
        .key_id = key.key_id,
        .name = key.name,
        .prefix = key.prefix,
        .last4 = key.last4,
        .scopes = key.scopes,
        .created_at = to_rfc3339(key.created_at),
        .last_used_at = shown(key.last_used_at),
        .expires_at = shown(key.expires_at),
        .revoked_at = shown(key.revoked_at),
        .rate_limit_per_second = key.rate_limit_per_second,
    };
}

net::Response shown_once(const accounts::MintedKey& minted) {
    const std::string masked = minted.key.masked();
    const protocol::KeyCreated created{
        .key_id = minted.key_id,
        .name = minted.name,
        .prefix = masked.substr(0, masked.find("…")),
        .raw_key = std::string(minted.key.secret()),
        .scopes = minted.scopes,
        .created_at = to_rfc3339(minted.times.created_at),
        .expires_at = shown(minted.times.expires_at),
        .rate_limit_per_second = minted.rate_limit_per_second,
    };
    net::Response response = net::Response::json(to_json(created), 201);
    response.headers.set("Cache-Control", "no-store");
    return response;
}

}  // namespace

std::vector<net::Route> KeyEndpoints::routes() {
    net::Route create_row = row(
        kNoun,
        {Method::kPost, "/api/auth/api-keys", "keys_create", "Make an API key; it is shown once"}
    );
    create_row.success_status = 201;
    create_row = net::typed(std::move(create_row), *this, &KeyEndpoints::create);
    create_row.response = net::body_type<protocol::KeyCreated>();
    net::Route roll_row =
        row(kNoun,
            {Method::kPost,
             "/api/auth/api-keys/{key_id}/roll",
             "keys_roll",
             "Replace an API key by a new one; the old one ends after the grace"});
    roll_row.success_status = 201;
    roll_row = net::typed(std::move(roll_row), *this, &KeyEndpoints::roll);
    roll_row.response = net::body_type<protocol::KeyCreated>();
    return {
        std::move(create_row),
        std::move(roll_row),
        net::typed(
            row(kNoun, {Method::kGet, "/api/auth/api-keys", "keys_list", "List your API keys"}),
            *this,
            &KeyEndpoints::list
        ),
        net::typed(
            row(kNoun,
                {Method::kDelete,
                 "/api/auth/api-keys/{key_id}",
                 "keys_revoke",
                 "Revoke an API key for good"}),
            *this,
            &KeyEndpoints::revoke
        ),
    };
}

net::Task<net::Response> KeyEndpoints::create(net::Call call, protocol::KeyCreate wish) {
    accounts::KeyWish wanted{.name = wish.name, .scopes = wish.scopes};
    if (wish.expires_in_days) {
        wanted.lifetime = std::chrono::days{*wish.expires_in_days};
    }
    wanted.rate_limit_per_second = wish.rate_limit_per_second;
    CO_TRY(
        const auto minted, co_await gate_.create(std::move(wanted), principal_of(call.principal))
    );
    co_return shown_once(minted);
}

net::Task<net::Response> KeyEndpoints::roll(net::Call call, protocol::KeyRoll wish) {
    CO_TRY(
        const auto minted,
        co_await gate_.roll(
            call.parameter("key_id"),
            std::chrono::seconds(wish.grace_seconds),
            principal_of(call.principal)
        )
    );
    co_return shown_once(minted);
}

net::Task<protocol::KeyList> KeyEndpoints::list(net::Call call) {
    CO_TRY(const auto keys, co_await gate_.list(principal_of(call.principal)));
    protocol::KeyList list;
    for (const accounts::KeyRecord& key : keys) {
        list.data.push_back(to_view(key));
    }
    co_return list;
}

net::Task<void> KeyEndpoints::revoke(net::Call call) {
    co_return co_await gate_.revoke(call.parameter("key_id"), principal_of(call.principal));
}

}  // namespace nexa::api
