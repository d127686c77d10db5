// SPDX-License-Identifier: Apache-2.0
#include "core/redact.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/mutex.h"

namespace nexa {

namespace {

constexpr std::size_t kSecretBytesMin = 4;
constexpr std::size_t kSecretsMax = 1024;
/// The random part of a key; the checksum behind it may be cut off, the secret is out all the same.
constexpr std::size_t kKeyBodyBytes = 43;
constexpr std::string_view kKeyPrefix = "nexa_";

using Secrets = std::vector<std::string>;

class SecretRegistry {
public:
    Status add(std::string_view value) {
        const Lock lock(mutex_);
        if (std::ranges::find(*secrets_, value) != secrets_->end()) {
            return {};
        }
        if (secrets_->size() == kSecretsMax) {
            return Error::resource_exhausted("{} secrets are registered already", kSecretsMax);
        }
        auto grown = std::make_shared<Secrets>(*secrets_);
        grown->emplace_back(value);
        secrets_ = std::move(grown);
        return {};
    }
    std::shared_ptr<const Secrets> all() {
        const Lock lock(mutex_);
        return secrets_;
    }

private:
    Mutex mutex_;
    std::shared_ptr<const Secrets> secrets_ NEXA_GUARDED_BY(mutex_) = std::make_shared<Secrets>();
};

/// One for the process, never destroyed: a secret is one wherever it shows up, and lines are
/// written until the very end.
SecretRegistry& registry() {
    static auto* process_registry = new SecretRegistry;
    return *process_registry;
}

/// [begin, end) of the text.
struct Found {
    std::size_t begin;
    std::size_t end;
};

bool is_base62(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void find_value(std::string_view text, std::string_view value, std::vector<Found>& found) {
    for (auto at = text.find(value); at != std::string_view::npos; at = text.find(value, at + 1)) {
        found.push_back({at, at + value.size()});
    }
}

void find_keys(std::string_view text, std::vector<Found>& found) {
    for (auto at = text.find(kKeyPrefix); at != std::string_view::npos;
         at = text.find(kKeyPrefix, at + 1)) {
        const std::size_t behind = at + kKeyPrefix.size();
        std::string_view body = text.substr(behind);
        const std::size_t typed = body.starts_with("rk_") || body.starts_with("wk_") ? 3 : 0;
        body.remove_prefix(typed);
        const auto length =
            static_cast<std::size_t>(std::ranges::find_if_not(body, is_base62) - body.begin());
        if (length >= kKeyBodyBytes) {
            found.push_back({at, behind + typed + length});
        }
    }
}

}  // namespace

Status register_secret(std::string_view value) {
    if (value.size() < kSecretBytesMin) {
        return Error::invalid_argument(
            "a secret of {} bytes is too short to keep out of logs, {} are needed",
            value.size(),
            kSecretBytesMin
        );
    }
    return registry().add(value);
}

std::string redact(std::string_view text) {
    std::vector<Found> found;
    find_keys(text, found);
    const auto secrets = registry().all();
    for (const std::string& secret : *secrets) {
        find_value(text, secret, found);
    }
    // Secrets may overlap or hold each other: what any of them covers goes.
    std::ranges::sort(found, {}, &Found::begin);
    std::string result;
    std::size_t done = 0;
    for (std::size_t i = 0; i < found.size();) {
        const std::size_t begin = found[i].begin;
        std::size_t end = found[i].end;
        for (++i; i < found.size() && found[i].begin < end; ++i) {
            end = std::max(end, found[i].end);
        }
        result += text.substr(done, begin - done);
        result += kRedacted;
        done = end;
    }
    result += text.substr(done);
    return result;
}

}  // namespace nexa
