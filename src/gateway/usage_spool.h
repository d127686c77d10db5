// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>

#include "core/fields.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mutex.h"
#include "net/pools.h"

namespace nexa::gateway {

/// What one request used.
struct UsageLine {
    static constexpr std::string_view kName = "GatewayUsageLine";
    std::string id;
    std::string at;
    std::string key_id;
    std::string project_id;
    std::string deployment_id;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;

    bool operator==(const UsageLine&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &UsageLine::id, "Of the answer, so that a line counts once").required(),
            field("at", &UsageLine::at, "RFC 3339").required(),
            field("key_id", &UsageLine::key_id, "Who asked; empty without keys"),
            field("project_id", &UsageLine::project_id, "Who pays"),
            field("deployment_id", &UsageLine::deployment_id, "Which model").required(),
            field("prompt_tokens", &UsageLine::prompt_tokens, "Read").required(),
            field("completion_tokens", &UsageLine::completion_tokens, "Generated").required(),
        };
    }
};

/// Appends usage to a file of JSON lines, on a thread of its own: what comes while one batch is
/// written and flushed goes with the next. Thread-safe.
///
/// Invariant: the file holds whole lines only; what a crash or a full disk cut off is cut away.
class UsageSpool {
public:
    static constexpr std::size_t kWaitingBytesMax = std::size_t{64} << 20U;

    /// Makes the file if it is not there. Blocks. Errors: kUnavailable, kPermissionDenied.
    static Result<std::unique_ptr<UsageSpool>> open(const std::filesystem::path& path);
    ~UsageSpool();  ///< as stop()

    /// Never blocks. What cannot be written is kept and tried again with the next line, up to
    /// kWaitingBytesMax; what comes beyond that is lost, and logged.
    void add(const UsageLine& line);
    /// Writes what waits. Blocks. Repeatable.
    void stop();

private:
    explicit UsageSpool(UniqueFd file, std::uint64_t size);
    void write_waiting();
    Status write_batch(std::string_view lines);

    Logger log_ = get_logger("gateway.usage");
    UniqueFd file_;
    std::uint64_t size_;  ///< of the whole lines; only on the pool's thread
    Mutex mutex_;
    std::string waiting_ NEXA_GUARDED_BY(mutex_);
    bool is_scheduled_ NEXA_GUARDED_BY(mutex_) = false;
    net::WorkPool pool_{{.name = "usage", .threads = 1, .queue_max = 4}};
};

}  // namespace nexa::gateway
