// SPDX-License-Identifier: Apache-2.0
#include "accounts/key_gate.h"

#include <fmt/ranges.h>

#include "accounts/audit_store.h"
#include "accounts/scopes.h"
#include "net/commit.h"

namespace nexa::accounts {

namespace {

/// One answer for every bad key, so that a guess learns nothing.
Error bad_key() {
    return Error::unauthenticated("the API key is not valid")
        .hint("make one with `nexa key create`");
}

/// What the audit trail says of a new key.
std::map<std::string, std::string> shown(const NewKey& key) {
    return {{"name", key.name}, {"scopes", fmt::format("{}", fmt::join(key.scopes, " "))}};
}

/// What both sides allow. Writing on one side and reading on the other is reading.
std::vector<std::string> intersection(
    const std::vector<std::string>& one, const std::vector<std::string>& other
) {
    std::vector<std::string> both;
    for (const std::string_view scope : all_scopes()) {
        if (allows(one, scope) && allows(other, scope)) {
            both.emplace_back(scope);
        }
    }
    return both;
}

MintedKey minted(crypto::ApiKey key, const NewKey& row, const KeyTimes& times) {
    return {
        .key = std::move(key),
        .key_id = row.key_id.text(),
        .name = row.name,
        .scopes = row.scopes,
        .times = times,
        .rate_limit_per_second = row.rate_limit_per_second,
    };
}

}  // namespace

net::Task<Principal> KeyGate::authenticate(std::string text) {
    const auto key = crypto::parse_api_key(text);
    if (!key) {
        co_return bad_key();
    }
    const Sha256Digest sha256 = key->sha256();
    if (auto known = recall(sha256)) {
        co_return std::move(known->principal);
    }
    const std::uint64_t before = generation();
    auto look_up = [&database = with_.database, sha256] {
        return database.read([&](db::Tx& tx) { return key_store::find(tx, sha256); });
    };
    CO_TRY(auto found, co_await net::run_on(with_.pool, std::move(look_up)));
    if (!found) {
        co_return bad_key();
    }
    remember(sha256, *found, before);
    note_use(*found);
    co_return std::move(found->principal);
}

net::Task<MintedKey> KeyGate::create(KeyWish wish, Principal creator) {
    CO_TRY_STATUS(check_scopes(wish.scopes, creator.scopes));
    if (creator.project_id.empty()) {
        co_return Error::permission_denied("a key belongs to a project, and you are in none")
            .hint("make one first");
    }
    if (wish.scopes.empty()) {
        wish.scopes = creator.scopes;
    }
    crypto::ApiKey key = crypto::make_api_key(crypto::ApiKeyKind::kUser, with_.random);
    NewKey row = describe_new(key, std::move(wish));
    row.user_id = creator.user_id;
    row.project_id = creator.project_id;
    row.created_by = creator.key_id;
    auto apply = [row, by = std::move(creator)](db::Tx& tx) -> Result<KeyTimes> {
        TRY_STATUS(audit_store::add(
            tx, by, {.action = "key.created", .target = row.key_id.text(), .details = shown(row)}
        ));
        return key_store::add(tx, row);
    };
    CO_TRY(const KeyTimes times, co_await net::commit(with_.writer, std::move(apply)));
    co_return minted(std::move(key), row, times);
}

net::Task<MintedKey> KeyGate::roll(
    std::string key_id, std::chrono::microseconds grace, Principal principal
) {
    crypto::ApiKey key = crypto::make_api_key(crypto::ApiKeyKind::kUser, with_.random);
    NewKey row = describe_new(key, {});
    row.user_id = principal.user_id;
    row.project_id = principal.project_id;
    row.created_by = principal.key_id;
    struct Rolled {
        NewKey row;
        KeyTimes times;
        Sha256Digest old_sha256;
    };
    auto apply = [row = std::move(row),
                  key_id = std::move(key_id),
                  grace,
                  by = std::move(principal)](db::Tx& tx) -> Result<Rolled> {
        TRY(const key_store::EndedKey old, key_store::end_after(tx, key_id, grace, by));
        Rolled rolled{.row = row, .times = {}, .old_sha256 = old.sha256};
        rolled.row.name = old.name;
        rolled.row.scopes = intersection(old.scopes, by.scopes);
        rolled.row.rate_limit_per_second = old.rate_limit_per_second;
        rolled.row.lifetime = old.lifetime;
        TRY(rolled.times, key_store::add(tx, rolled.row));
        auto details = shown(rolled.row);
        details.emplace("replaces", key_id);
        TRY_STATUS(audit_store::add(
            tx,
            by,
            {.action = "key.rolled", .target = row.key_id.text(), .details = std::move(details)}
        ));
        return rolled;
    };
    CO_TRY(const Rolled rolled, co_await net::commit(with_.writer, std::move(apply)));
    forget(rolled.old_sha256);
    co_return minted(std::move(key), rolled.row, rolled.times);
}

net::Task<std::vector<KeyRecord>> KeyGate::list(Principal principal) {
    auto look_up = [&database = with_.database, principal = std::move(principal)] {
        return database.read([&](db::Tx& tx) { return key_store::list(tx, principal); });
    };
    co_return co_await net::run_on(with_.pool, std::move(look_up));
}

net::Task<void> KeyGate::revoke(std::string key_id, Principal principal) {
    auto apply = [key_id = std::move(key_id),
                  principal = std::move(principal)](db::Tx& tx) -> Result<Sha256Digest> {
        TRY(const Sha256Digest sha256, key_store::revoke(tx, key_id, principal));
        TRY_STATUS(audit_store::add(tx, principal, {.action = "key.revoked", .target = key_id}));
        return sha256;
    };
    CO_TRY(const Sha256Digest sha256, co_await net::commit(with_.writer, std::move(apply)));
    forget(sha256);
    co_return Status{};
}

Result<MintedKey> KeyGate::mint_owner_key(std::string name) {
    crypto::ApiKey key = crypto::make_api_key(crypto::ApiKeyKind::kUser, with_.random);
    KeyWish wish{.name = std::move(name)};
    for (const std::string_view scope : all_scopes()) {
        wish.scopes.emplace_back(scope);
    }
    NewKey row = describe_new(key, std::move(wish));
    auto apply = [row, &ids = with_.ids](db::Tx& tx) mutable -> Result<KeyTimes> {
        TRY(const Owner owner, key_store::ensure_owner(tx, ids));
        row.user_id = owner.user_id;
        row.project_id = owner.project_id;
        const Principal installation{.project_id = owner.project_id};
        TRY_STATUS(audit_store::add(
            tx,
            installation,
            {.action = "key.created", .target = row.key_id.text(), .details = shown(row)}
        ));
        return key_store::add(tx, row);
    };
    TRY(const KeyTimes times, with_.writer.run(std::move(apply)));
    return minted(std::move(key), row, times);
}

NewKey KeyGate::describe_new(const crypto::ApiKey& key, KeyWish wish) {
    NewKey row = describe(key);
    row.key_id = with_.ids.make<KeyId>();
    row.name = std::move(wish.name);
    row.scopes = std::move(wish.scopes);
    row.lifetime = wish.lifetime;
    row.rate_limit_per_second = wish.rate_limit_per_second;
    return row;
}

void KeyGate::forget_all() {
    const Lock lock(mutex_);
    ++generation_;
    remembered_.clear();
    newest_first_.clear();
}

std::optional<FoundKey> KeyGate::recall(const Sha256Digest& sha256) {
    const Lock lock(mutex_);
    const auto entry = remembered_.find(sha256);
    if (entry == remembered_.end() || entry->second.until <= with_.clock.steady_now()) {
        return std::nullopt;
    }
    const auto& ends = entry->second.found.expires_at;
    if (ends && *ends <= with_.clock.now()) {
        return std::nullopt;
    }
    return entry->second.found;
}

std::uint64_t KeyGate::generation() {
    const Lock lock(mutex_);
    return generation_;
}

void KeyGate::remember(
    const Sha256Digest& sha256, const FoundKey& found, std::uint64_t generation
) {
    const Lock lock(mutex_);
    if (generation != generation_) {
        return;
    }
    if (const auto old = remembered_.find(sha256); old != remembered_.end()) {
        newest_first_.erase(old->second.place);
        remembered_.erase(old);
    }
    if (remembered_.size() >= options_.remembered_max) {
        remembered_.erase(newest_first_.back());
        newest_first_.pop_back();
    }
    newest_first_.push_front(sha256);
    remembered_.emplace(
        sha256,
        Remembered{
            .found = found,
            .until = with_.clock.steady_now() + options_.believed,
            .place = newest_first_.begin(),
        }
    );
}

void KeyGate::forget(const Sha256Digest& sha256) {
    const Lock lock(mutex_);
    ++generation_;
    if (const auto old = remembered_.find(sha256); old != remembered_.end()) {
        newest_first_.erase(old->second.place);
        remembered_.erase(old);
    }
}

void KeyGate::note_use(const FoundKey& found) {
    if (found.last_used_at && with_.clock.now() - *found.last_used_at < options_.touch_every) {
        return;
    }
    // Nobody waits for it: a full queue or a failed write costs one stale "last used".
    const Status handed_over = with_.writer.submit(
        [key_id = found.principal.key_id](db::Tx& tx) { return key_store::touch(tx, key_id); },
        [](const Status&) {}
    );
    static_cast<void>(handed_over);
}

}  // namespace nexa::accounts
