// SPDX-License-Identifier: Apache-2.0
#include "gateway/keys.h"

#include <sys/stat.h>

#include <utility>

#include "core/file.h"
#include "core/trim.h"
#include "crypto/api_key.h"

namespace nexa::gateway {

namespace {

constexpr std::uint64_t kFileBytesMax = std::uint64_t{16} << 20U;
constexpr std::size_t kShownDigits = 12;

Error unknown_key() {
    return Error::unauthenticated("the API key is not known here, or was revoked");
}

/// A key as it is given out, or its hash.
Result<Sha256Digest> digest_of_line(std::string_view text) {
    if (auto digest = Sha256Digest::parse(text)) {
        return *digest;
    }
    TRY(const crypto::ApiKey key, crypto::parse_api_key(text));
    return key.sha256();
}

}  // namespace

Result<KeyTable> KeyTable::from_snapshot(std::span<const protocol::GatewayKey> keys) {
    KeyTable table;
    for (const protocol::GatewayKey& key : keys) {
        TRY(const Sha256Digest digest, Sha256Digest::parse(key.sha256));
        Entry entry{.caller = {.key_id = key.key_id, .project_id = key.project_id}};
        if (key.expires_at) {
            TRY(entry.expires_at, parse_rfc3339(*key.expires_at));
        }
        table.keys_.insert_or_assign(digest, std::move(entry));
    }
    return table;
}

Result<KeyTable> KeyTable::from_file(const std::filesystem::path& path) {
    TRY(const std::string text, read_file(path, kFileBytesMax));
    struct stat about{};
    if (::stat(path.c_str(), &about) == 0 && (about.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        return Error::permission_denied("everyone may read or write {}", path.native())
            .hint("chmod 600 it");
    }
    KeyTable table;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = trimmed(std::string_view(text).substr(at, end - at));
        at = end + 1;
        ++number;
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const std::string_view key = line.substr(0, line.find_first_of(" \t"));
        const std::string_view name = trimmed(line.substr(key.size()));
        const auto digest = digest_of_line(key);
        if (!digest) {
            return Error::invalid_argument("neither an API key nor a SHA-256 in hex")
                .at(fmt::format("{}:{}", path.native(), number));
        }
        const std::string id =
            name.empty() ? "key_" + digest->hex().substr(0, kShownDigits) : std::string(name);
        table.keys_.insert_or_assign(
            *digest, Entry{.caller = {.key_id = id, .may_use_all = true}, .expires_at = {}}
        );
    }
    if (table.keys_.empty()) {
        return Error::invalid_argument("{} holds no key", path.native());
    }
    return table;
}

Result<Caller> KeyTable::check(const Sha256Digest& digest, Timestamp now) const {
    const auto found = keys_.find(digest);
    if (found == keys_.end()) {
        return unknown_key();
    }
    const auto& expires_at = found->second.expires_at;
    if (expires_at && *expires_at <= now) {
        return Error::unauthenticated("the API key has expired");
    }
    return found->second.caller;
}

std::optional<std::string_view> credential_of(const net::RequestHead& head) {
    for (const std::string_view name : {"X-Nexa-Api-Key", "X-API-Key"}) {
        if (const std::string* value = head.headers.find(name)) {
            return *value;
        }
    }
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view authorization = head.headers.get("Authorization");
    if (authorization.size() > kBearer.size() &&
        net::equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
        return authorization.substr(kBearer.size());
    }
    return std::nullopt;
}

void KeyRing::replace(KeyTable from_feed) {
    auto table = std::make_shared<const KeyTable>(std::move(from_feed));
    const Lock lock(mutex_);
    from_feed_ = std::move(table);
}

Result<Caller> KeyRing::check(const net::RequestHead& head, Timestamp now) const {
    if (is_open_) {
        return Caller{.may_use_all = true};
    }
    const auto text = credential_of(head);
    if (!text) {
        return Error::unauthenticated("you did not provide an API key")
            .hint("send it in the header Authorization: Bearer KEY");
    }
    const auto key = crypto::parse_api_key(*text);
    if (!key) {
        return Error::unauthenticated("the API key is incorrect: it was not copied whole");
    }
    const Sha256Digest digest = key->sha256();
    if (auto known = fixed_.check(digest, now)) {
        return known;
    }
    std::shared_ptr<const KeyTable> from_feed;
    {
        const Lock lock(mutex_);
        from_feed = from_feed_;
    }
    return from_feed->check(digest, now);
}

}  // namespace nexa::gateway
