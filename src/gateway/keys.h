// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/mutex.h"
#include "core/result.h"
#include "core/sha256.h"
#include "net/http_types.h"
#include "protocol/gateway_feed.h"

namespace nexa::gateway {

/// Who asks, as far as a gateway knows.
struct Caller {
    std::string key_id;
    std::string project_id;
    bool may_use_all = false;  ///< models of every project: static keys, or no keys at all

    friend bool operator==(const Caller&, const Caller&) = default;
};

/// Keys by their hashes. Immutable once shared.
class KeyTable {
public:
    KeyTable() = default;
    /// Errors: kMalformed (a hash or a time that is none).
    static Result<KeyTable> from_snapshot(std::span<const protocol::GatewayKey> keys);
    /// Reads a file of one key a line: the key itself or its hex SHA-256, and, after a space, a
    /// name for it. Empty lines and lines that begin with '#' do not count. Blocks. Errors:
    /// kNotFound, kPermissionDenied (everyone may read the file), kInvalidArgument ("file:line"; or
    /// no key at all).
    static Result<KeyTable> from_file(const std::filesystem::path& path);

    /// Errors: kUnauthenticated; the message never holds the key.
    Result<Caller> check(const Sha256Digest& digest, Timestamp now) const;
    std::size_t size() const { return keys_.size(); }

private:
    struct Entry {
        Caller caller;
        std::optional<Timestamp> expires_at;
    };
    std::map<Sha256Digest, Entry> keys_;
};

/// The keys that count now: those of a file, those of the feed, or none are needed. Thread-safe;
/// never blocks for long.
class KeyRing {
public:
    /// `is_open`: everyone may ask, with or without a key.
    explicit KeyRing(bool is_open, KeyTable fixed = {})
        : is_open_(is_open), fixed_(std::move(fixed)) {}

    void replace(KeyTable from_feed);
    /// Errors: kUnauthenticated: no key, no sound one (its checksum is looked at first), an unknown
    /// or an expired one.
    Result<Caller> check(const net::RequestHead& head, Timestamp now) const;

private:
    const bool is_open_;
    const KeyTable fixed_;
    mutable Mutex mutex_;
    std::shared_ptr<const KeyTable> from_feed_ NEXA_GUARDED_BY(mutex_
    ) = std::make_shared<KeyTable>();
};

/// What a client sent as its key: Authorization: Bearer, X-Nexa-Api-Key or X-API-Key.
std::optional<std::string_view> credential_of(const net::RequestHead& head);

}  // namespace nexa::gateway
