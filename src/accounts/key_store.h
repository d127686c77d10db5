// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"
#include "core/sha256.h"
#include "crypto/api_key.h"
#include "db/tx.h"

namespace nexa::accounts {

/// Who is behind a request.
struct Principal {
    std::string user_id;
    std::string project_id;
    std::string key_id;
    std::vector<std::string> scopes;
};

/// An API key as its owner sees it: never the key.
struct KeyRecord {
    std::string key_id;
    std::string name;
    std::string prefix;
    std::string last4;
    std::vector<std::string> scopes;
    Timestamp created_at;
    std::optional<Timestamp> last_used_at;
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> revoked_at;
};

/// A key to be stored: its hash and what may be shown of it.
struct NewKey {
    KeyId key_id;
    std::string user_id;
    std::string project_id;
    std::string name;
    Sha256Digest sha256;
    std::string prefix;
    std::string last4;
    std::vector<std::string> scopes;
    std::optional<std::string> created_by;
    std::optional<std::chrono::microseconds> lifetime;
};

struct KeyTimes {
    Timestamp created_at;
    std::optional<Timestamp> expires_at;
};

struct FoundKey {
    Principal principal;
    std::optional<Timestamp> expires_at;
    std::optional<Timestamp> last_used_at;
};

/// A good key as those need it who check keys without asking us.
struct GoodKey {
    std::string key_id;
    std::string project_id;
    Sha256Digest sha256;
    std::optional<Timestamp> expires_at;
};

/// The first user of an installation and the project that user owns.
struct Owner {
    std::string user_id;
    std::string project_id;
};

/// Users, projects and keys as rows. Every call is inside a transaction; the writing ones in the
/// writer's.
namespace key_store {

/// The owner of this installation; makes user `admin` and project `default` the first time.
Result<Owner> ensure_owner(db::Tx& tx, IdSource& ids);

Result<KeyTimes> add(db::Tx& tx, const NewKey& key);
/// Nothing if the key is unknown, revoked or past its end.
Result<std::optional<FoundKey>> find(db::Tx& tx, const Sha256Digest& sha256);
Result<std::vector<KeyRecord>> list(db::Tx& tx, const Principal& principal);
/// From its commit on the key is refused. Returns the key's hash. Errors: kNotFound, also for
/// another user's key.
Result<Sha256Digest> revoke(db::Tx& tx, const std::string& key_id, const Principal& principal);
Status touch(db::Tx& tx, const std::string& key_id);

/// Rises with every key that is made or revoked, in that transaction; never 0.
Result<std::int64_t> serial(db::Tx& tx);
/// All projects' keys that are good now and hold `scope` itself.
Result<std::vector<GoodKey>> good_keys(db::Tx& tx, std::string_view scope);

}  // namespace key_store

/// What may be shown of `key`, and its hash, as a row to be stored.
NewKey describe(const crypto::ApiKey& key);

}  // namespace nexa::accounts
