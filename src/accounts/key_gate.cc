// SPDX-License-Identifier: Apache-2.0
#include "accounts/key_gate.h"

#include "accounts/scopes.h"
#include "net/commit.h"

namespace nexa::accounts {

namespace {

/// One answer for every bad key, so that a guess learns nothing.
Error bad_key() {
    return Error::unauthenticated("the API key is not valid")
        .hint("make one with `nexa key create`");
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
    if (wish.scopes.empty()) {
        wish.scopes = creator.scopes;
    }
    crypto::ApiKey key = crypto::make_api_key(crypto::ApiKeyKind::kUser, with_.random);
    NewKey row = describe_new(key, std::move(wish));
    row.user_id = creator.user_id;
    row.project_id = creator.project_id;
    row.created_by = creator.key_id;
    const std::string key_id = row.key_id.text();
    auto apply = [row = std::move(row)](db::Tx& tx) { return key_store::add(tx, row); };
    CO_TRY(const KeyTimes times, co_await net::commit(with_.writer, std::move(apply)));
    co_return MintedKey{.key = std::move(key), .key_id = key_id, .times = times};
}

net::Task<std::vector<KeyRecord>> KeyGate::list(Principal principal) {
    auto look_up = [&database = with_.database, principal = std::move(principal)] {
        return database.read([&](db::Tx& tx) { return key_store::list(tx, principal); });
    };
    co_return co_await net::run_on(with_.pool, std::move(look_up));
}

net::Task<void> KeyGate::revoke(std::string key_id, Principal principal) {
    auto apply = [key_id = std::move(key_id), principal = std::move(principal)](db::Tx& tx) {
        return key_store::revoke(tx, key_id, principal);
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
    const std::string key_id = row.key_id.text();
    TRY(const KeyTimes times,
        with_.writer.run(
            [row = std::move(row), &ids = with_.ids](db::Tx& tx) mutable -> Result<KeyTimes> {
                TRY(const Owner owner, key_store::ensure_owner(tx, ids));
                row.user_id = owner.user_id;
                row.project_id = owner.project_id;
                return key_store::add(tx, row);
            }
        ));
    return MintedKey{.key = std::move(key), .key_id = key_id, .times = times};
}

NewKey KeyGate::describe_new(const crypto::ApiKey& key, KeyWish wish) {
    NewKey row = describe(key);
    row.key_id = with_.ids.make<KeyId>();
    row.name = std::move(wish.name);
    row.scopes = std::move(wish.scopes);
    row.lifetime = wish.lifetime;
    return row;
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
