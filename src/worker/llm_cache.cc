// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_cache.h"

#include <system_error>
#include <utility>

#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/log.h"
#include "worker/eviction.h"

namespace nexa::worker {

NEXA_JSON_CODEC(LlmCacheEntry);

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kEntryBytesMax = 2 * protocol::kLlmLineBytesMax;

}  // namespace

Sha256Digest cache_key(
    std::string_view base_url, std::string_view model, const protocol::LlmRequest& request
) {
    protocol::LlmRequest asked = request;
    asked.id = 0;
    asked.endpoint.clear();
    // No part can hold a line end, JSON's own included.
    return sha256(fmt::format("{}\n{}\n{}", base_url, model, to_json(asked)));
}

Result<std::unique_ptr<LlmCache>> LlmCache::open(
    fs::path folder, std::int64_t bytes_max, const Clock& clock
) {
    TRY_STATUS(make_private_folder(folder));
    std::unique_ptr<LlmCache> cache(new LlmCache(std::move(folder), bytes_max, clock));
    TRY_STATUS(cache->trim());
    return cache;
}

fs::path LlmCache::path_of(const Sha256Digest& key) const {
    const std::string hex = key.hex();
    return folder_ / hex.substr(0, 2) / (hex + ".json");
}

std::optional<LlmCacheEntry> LlmCache::find(const Sha256Digest& key) {
    const fs::path path = path_of(key);
    const auto text = read_file(path, kEntryBytesMax);
    if (!text) {
        return std::nullopt;
    }
    auto entry = from_json<LlmCacheEntry>(*text, {.unknown_keys = UnknownKeys::kIgnore});
    if (!entry) {
        return std::nullopt;
    }
    mark_used(path, clock_.now());
    return *std::move(entry);
}

Status LlmCache::keep(const Sha256Digest& key, const LlmCacheEntry& entry) {
    if (bytes_max_ <= 0) {
        return {};
    }
    constexpr unsigned kOwnerOnly = 0600;
    const fs::path path = path_of(key);
    const std::string text = to_json(entry);
    TRY_STATUS(make_private_folder(path.parent_path()));
    TRY_STATUS(write_file_atomically(path, text, kOwnerOnly));
    mark_used(path, clock_.now());
    {
        const Lock lock(mutex_);
        written_ += static_cast<std::int64_t>(text.size());
        // A walk over all entries is worth it only now and then.
        if (written_ <= bytes_max_ / 10) {
            return {};
        }
        written_ = 0;
    }
    return trim();
}

Status LlmCache::trim() {
    TRY(auto files, list_cached(folder_));
    for (const CachedFile& file :
         choose_victims(std::move(files), bytes_max_ / 10 * 9, fs::file_time_type::max())) {
        std::error_code gone;
        fs::remove(file.path, gone);
    }
    return {};
}

}  // namespace nexa::worker
