// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/clock.h"
#include "core/fields.h"
#include "core/mutex.h"
#include "core/result.h"
#include "core/sha256.h"
#include "protocol/llm_messages.h"

namespace nexa::worker {

/// An answer that was paid for, and by whom.
struct LlmCacheEntry {
    static constexpr std::string_view kName = "LlmCacheEntry";
    protocol::LlmReply reply;
    std::int64_t cost_picodollars = 0;
    std::string job_id;
    std::int64_t fence = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("reply", &LlmCacheEntry::reply, "What was answered").required(),
            field("cost_picodollars", &LlmCacheEntry::cost_picodollars, "What it cost"),
            field("job_id", &LlmCacheEntry::job_id, "Who paid"),
            field("fence", &LlmCacheEntry::fence, "The attempt of it that last counted the cost"),
        };
    }
};

/// Under which a request's answer is kept: endpoint, model and all that the answer depends on.
Sha256Digest cache_key(
    std::string_view base_url, std::string_view model, const protocol::LlmRequest& request
);

/// Answers of endpoints on disk, so that a job that runs again pays for nothing twice. Bounded:
/// what nobody has asked for longest goes first. A damaged entry counts as none. Blocking.
/// Thread-safe.
class LlmCache {
public:
    /// Makes `folder` where it is missing. `bytes_max` 0: nothing is kept. Errors: kUnavailable,
    /// kPermissionDenied.
    static Result<std::unique_ptr<LlmCache>> open(
        std::filesystem::path folder, std::int64_t bytes_max, const Clock& clock
    );

    std::optional<LlmCacheEntry> find(const Sha256Digest& key);
    /// Errors: kUnavailable (disk full).
    Status keep(const Sha256Digest& key, const LlmCacheEntry& entry);

    const std::filesystem::path& folder() const { return folder_; }

private:
    LlmCache(std::filesystem::path folder, std::int64_t bytes_max, const Clock& clock)
        : folder_(std::move(folder)), bytes_max_(bytes_max), clock_(clock) {}
    Status trim();
    std::filesystem::path path_of(const Sha256Digest& key) const;

    const std::filesystem::path folder_;
    const std::int64_t bytes_max_;
    const Clock& clock_;
    Mutex mutex_;
    std::int64_t written_ NEXA_GUARDED_BY(mutex_) = 0;  ///< since the last trim()
};

}  // namespace nexa::worker
