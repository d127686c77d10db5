// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "accounts/roles.h"
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
    std::string project_id;  ///< empty: a session of a user without any
    std::string key_id;      ///< or the session's id
    std::vector<std::string> scopes;
    std::optional<Role> role;  ///< in the project; none: an administrator from outside
    bool is_admin = false;     ///< of the installation
    bool is_session = false;   ///< signed in with a password
    std::optional<double> rate_limit_per_second;
    std::string address;  ///< where the request came from, for the audit trail
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
    std::optional<double> rate_limit_per_second;
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
    std::optional<double> rate_limit_per_second;
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
/// What the key that replaces another takes over from it.
struct EndedKey {
    std::optional<std::chrono::microseconds> lifetime;  ///< as it was made; nothing: for ever
    Sha256Digest sha256;
    std::string name;
    std::vector<std::string> scopes;
    std::optional<double> rate_limit_per_second;
};
/// Lets a good key of this user end after `grace`, unless it ends earlier. Errors: kNotFound, also
/// for another user's key and one that is not good any more.
Result<EndedKey> end_after(
    db::Tx& tx,
    const std::string& key_id,
    std::chrono::microseconds grace,
    const Principal& principal
);
Status touch(db::Tx& tx, const std::string& key_id);
/// Says that keys changed: whoever copied them looks again.
Status raise_serial(db::Tx& tx);

/// Rises with every key that is made or revoked, in that transaction; never 0.
Result<std::int64_t> serial(db::Tx& tx);
/// All projects' keys that are good now, hold `scope` itself, and whose users' roles leave it.
Result<std::vector<GoodKey>> good_keys(db::Tx& tx, std::string_view scope);

}  // namespace key_store

/// What may be shown of `key`, and its hash, as a row to be stored.
NewKey describe(const crypto::ApiKey& key);

}  // namespace nexa::accounts
