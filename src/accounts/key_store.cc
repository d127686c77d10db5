// SPDX-License-Identifier: Apache-2.0
#include "accounts/key_store.h"

#include <algorithm>

#include "accounts/accounts_sql.h"
#include "accounts/scopes.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::accounts {

namespace {

/// How much of a key may be shown: its kind and four characters.
constexpr std::size_t kShownCharacters = 4;

std::string prefix_of(std::string_view secret) {
    const std::size_t kind_end = secret.find_last_of('_') + 1;
    return std::string(secret.substr(0, kind_end + kShownCharacters));
}

Result<std::vector<std::string>> scopes_of(const db::Row& row) {
    return from_json<std::vector<std::string>>(row.text("scopes"));
}

Result<KeyRecord> record_from(const db::Row& row) {
    TRY(auto scopes, scopes_of(row));
    return KeyRecord{
        .key_id = row.text("id"),
        .name = row.text("name"),
        .prefix = row.text("prefix"),
        .last4 = row.text("last4"),
        .scopes = std::move(scopes),
        .created_at = row.timestamp("created_at"),
        .last_used_at = row.optional_timestamp("last_used_at"),
        .expires_at = row.optional_timestamp("expires_at"),
        .revoked_at = row.optional_timestamp("revoked_at"),
        .rate_limit_per_second = row.optional_real("rate_limit_per_second"),
    };
}

/// The table's own constraint lets no other text in.
Role role_in(const db::Row& row) {
    const auto role = role_from(row.text("role"));
    NEXA_CHECK(role.has_value());
    return *role;
}

Result<Sha256Digest> digest_from(const db::Blob& bytes) {
    Sha256Digest digest;
    NEXA_CHECK(bytes.size() == digest.bytes.size());  // the table's own constraint
    std::ranges::copy(bytes, digest.bytes.begin());
    return digest;
}

}  // namespace

NewKey describe(const crypto::ApiKey& key) {
    const std::string_view secret = key.secret();
    NewKey described;
    described.sha256 = key.sha256();
    described.prefix = prefix_of(secret);
    described.last4 = std::string(secret.substr(secret.size() - kShownCharacters));
    return described;
}

namespace key_store {

Result<Owner> ensure_owner(db::Tx& tx, IdSource& ids) {
    TRY(const auto row, tx.query_one(sql::kFindOwner));
    if (row) {
        return Owner{.user_id = row->text("user_id"), .project_id = row->text("project_id")};
    }
    Owner owner{.user_id = ids.make<UserId>().text(), .project_id = ids.make<ProjectId>().text()};
    TRY(const auto user,
        tx.query_one(
            sql::kAddUser,
            {
                {"user_id", owner.user_id},
                {"name", "admin"},
                {"email", nullptr},
                {"status", "active"},
                {"is_admin", true},
            }
        ));
    TRY(const auto project,
        tx.query_one(sql::kAddProject, {{"project_id", owner.project_id}, {"name", "default"}}));
    if (!user || !project) {
        return Error::conflict("the first user's or project's name is taken");
    }
    TRY_STATUS(tx.execute(
        sql::kAddMember,
        {{"project_id", owner.project_id}, {"user_id", owner.user_id}, {"role", "owner"}}
    ));
    return owner;
}

Result<KeyTimes> add(db::Tx& tx, const NewKey& key) {
    TRY(const auto row,
        tx.query_one(
            sql::kAddKey,
            {
                {"key_id", key.key_id},
                {"user_id", key.user_id},
                {"project_id", key.project_id},
                {"name", key.name},
                {"sha256", std::span<const std::byte>(key.sha256.bytes)},
                {"prefix", key.prefix},
                {"last4", key.last4},
                {"scopes", to_json(key.scopes)},
                {"rate_limit_per_second", key.rate_limit_per_second},
                {"created_by", key.created_by},
                {"lifetime_us", key.lifetime},
            }
        ));
    NEXA_CHECK(row.has_value());
    TRY_STATUS(raise_serial(tx));
    return KeyTimes{
        .created_at = row->timestamp("created_at"),
        .expires_at = row->optional_timestamp("expires_at"),
    };
}

Result<std::optional<FoundKey>> find(db::Tx& tx, const Sha256Digest& sha256) {
    TRY(const auto row,
        tx.query_one(sql::kFindKey, {{"sha256", std::span<const std::byte>(sha256.bytes)}}));
    if (!row) {
        return std::nullopt;
    }
    TRY(const auto scopes, scopes_of(*row));
    const Role role = role_in(*row);
    const bool is_admin = row->boolean("is_admin");
    return FoundKey{
        .principal =
            {
                .user_id = row->text("user_id"),
                .project_id = row->text("project_id"),
                .key_id = row->text("id"),
                .scopes = narrowed(scopes, role, is_admin),
                .role = role,
                .is_admin = is_admin,
                .rate_limit_per_second = row->optional_real("rate_limit_per_second"),
            },
        .expires_at = row->optional_timestamp("expires_at"),
        .last_used_at = row->optional_timestamp("last_used_at"),
    };
}

Result<std::vector<KeyRecord>> list(db::Tx& tx, const Principal& principal) {
    TRY(const auto rows,
        tx.query(
            sql::kListKeys,
            {
                {"user_id", principal.user_id},
                {"project_id", principal.project_id},
            }
        ));
    std::vector<KeyRecord> keys;
    keys.reserve(rows.size());
    for (const db::Row& row : rows) {
        TRY(KeyRecord key, record_from(row));
        keys.push_back(std::move(key));
    }
    return keys;
}

Result<Sha256Digest> revoke(db::Tx& tx, const std::string& key_id, const Principal& principal) {
    TRY(const auto row,
        tx.query_one(
            sql::kRevokeKey,
            {
                {"key_id", key_id},
                {"user_id", principal.user_id},
                {"project_id", principal.project_id},
            }
        ));
    if (!row) {
        return Error::not_found("there is no key {}", key_id).at("key_id");
    }
    TRY_STATUS(raise_serial(tx));
    return digest_from(row->blob("sha256"));
}

Result<EndedKey> end_after(
    db::Tx& tx,
    const std::string& key_id,
    std::chrono::microseconds grace,
    const Principal& principal
) {
    // What the statement below returns is the key's new end.
    TRY(const auto before, list(tx, principal));
    TRY(const auto row,
        tx.query_one(
            sql::kEndKey,
            {
                {"key_id", key_id},
                {"user_id", principal.user_id},
                {"project_id", principal.project_id},
                {"grace_us", grace},
            }
        ));
    if (!row) {
        return Error::not_found("there is no key {}", key_id).at("key_id");
    }
    TRY(auto scopes, scopes_of(*row));
    TRY(const Sha256Digest sha256, digest_from(row->blob("sha256")));
    TRY_STATUS(raise_serial(tx));
    const auto known = std::ranges::find(before, key_id, &KeyRecord::key_id);
    std::optional<std::chrono::microseconds> lifetime;
    if (known != before.end() && known->expires_at) {
        lifetime = *known->expires_at - known->created_at;
    }
    return EndedKey{
        .lifetime = lifetime,
        .sha256 = sha256,
        .name = row->text("name"),
        .scopes = std::move(scopes),
        .rate_limit_per_second = row->optional_real("rate_limit_per_second"),
    };
}

Status raise_serial(db::Tx& tx) {
    TRY_STATUS(tx.execute(sql::kRaiseKeySerial));
    return {};
}

Status touch(db::Tx& tx, const std::string& key_id) {
    TRY_STATUS(tx.execute(sql::kTouchKey, {{"key_id", key_id}}));
    return {};
}

Result<std::int64_t> serial(db::Tx& tx) {
    TRY(const auto row, tx.query_one(sql::kKeySerial));
    NEXA_CHECK(row.has_value());  // the migration made the one row, and nothing deletes it
    return row->int64("serial");
}

Result<std::vector<GoodKey>> good_keys(db::Tx& tx, std::string_view scope) {
    TRY(const auto rows, tx.query(sql::kListGoodKeys, {{"scope", scope}}));
    std::vector<GoodKey> keys;
    keys.reserve(rows.size());
    for (const db::Row& row : rows) {
        const auto granted = scopes_of_user(role_in(row), row.boolean("is_admin"));
        if (!allows(granted, scope)) {
            continue;
        }
        TRY(const Sha256Digest sha256, digest_from(row.blob("sha256")));
        keys.push_back({
            .key_id = row.text("id"),
            .project_id = row.text("project_id"),
            .sha256 = sha256,
            .expires_at = row.optional_timestamp("expires_at"),
        });
    }
    return keys;
}

}  // namespace key_store

}  // namespace nexa::accounts
