// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "accounts/key_store.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/mutex.h"
#include "core/random.h"
#include "db/database.h"
#include "db/writer.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::accounts {

struct KeyGateOptions {
    /// How long a looked-up key is believed without asking the database: what a revocation on
    /// another coordinator may take to arrive. One on this coordinator works at once.
    std::chrono::milliseconds believed = std::chrono::seconds{2};
    std::size_t remembered_max = 10'000;
    /// `last_used_at` is this coarse, so that a busy key does not write per request.
    std::chrono::seconds touch_every = std::chrono::minutes{1};
};

/// A key that was just made: the only moment its text exists outside its owner's hands.
struct MintedKey {
    crypto::ApiKey key;
    std::string key_id;
    std::string name;
    std::vector<std::string> scopes;
    KeyTimes times;
    std::optional<double> rate_limit_per_second;
};

/// What is wanted of a new key.
struct KeyWish {
    std::string name;
    std::vector<std::string> scopes;  ///< empty: all of the creating key's
    std::optional<std::chrono::microseconds> lifetime;
    std::optional<double> rate_limit_per_second;  ///< above zero; none: no limit of its own
};

/// Turns the text of a key into who is behind it, and makes and revokes keys. Thread-safe; all
/// collaborators outlive it.
class KeyGate {
public:
    struct Collaborators {
        db::Database& database;
        db::Writer& writer;
        net::WorkPool& pool;  ///< for blocking reads
        IdSource& ids;
        const Clock& clock;
        Random& random;
    };
    explicit KeyGate(Collaborators with, KeyGateOptions options = {})
        : with_(with), options_(options) {}

    /// Errors: kUnauthenticated, with the same message for a malformed, unknown, revoked or expired
    /// key. A text with a bad checksum is refused without a look-up.
    net::Task<Principal> authenticate(std::string text);

    /// In the creator's project. Errors: as check_scopes(); kPermissionDenied (a session of a user
    /// without a project).
    net::Task<MintedKey> create(KeyWish wish, Principal creator);
    /// A new key with the name, limit and scopes of an own one, as far as `principal` may give
    /// them, while that ends after `grace`. Errors: kNotFound, also for a key that is not good any
    /// more.
    net::Task<MintedKey> roll(
        std::string key_id, std::chrono::microseconds grace, Principal principal
    );
    net::Task<std::vector<KeyRecord>> list(Principal principal);
    /// Errors: kNotFound. Once it returns, this coordinator refuses the key.
    net::Task<void> revoke(std::string key_id, Principal principal);

    /// For who changed users or members: what is remembered is looked up again.
    void forget_all() NEXA_EXCLUDES(mutex_);

    /// Makes the installation's owner, if there is none, and a key for everything with the name
    /// `name`. Blocks.
    Result<MintedKey> mint_owner_key(std::string name);

private:
    struct Remembered {
        FoundKey found;
        std::chrono::steady_clock::time_point until;
        std::list<Sha256Digest>::iterator place;
    };

    std::optional<FoundKey> recall(const Sha256Digest& sha256) NEXA_EXCLUDES(mutex_);
    /// Unless a key was revoked since `generation` was read: the look-up may have been before that.
    void remember(const Sha256Digest& sha256, const FoundKey& found, std::uint64_t generation)
        NEXA_EXCLUDES(mutex_);
    std::uint64_t generation() NEXA_EXCLUDES(mutex_);
    void forget(const Sha256Digest& sha256) NEXA_EXCLUDES(mutex_);
    void note_use(const FoundKey& found);
    NewKey describe_new(const crypto::ApiKey& key, KeyWish wish);

    Collaborators with_;
    KeyGateOptions options_;
    Mutex mutex_;
    std::uint64_t generation_ NEXA_GUARDED_BY(mutex_) = 0;  ///< counts revocations
    std::unordered_map<Sha256Digest, Remembered> remembered_ NEXA_GUARDED_BY(mutex_);
    std::list<Sha256Digest> newest_first_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::accounts
