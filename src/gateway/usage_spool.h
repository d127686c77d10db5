// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "core/log.h"
#include "core/mutex.h"
#include "gateway/line_file.h"
#include "net/pools.h"
#include "net/task.h"
#include "protocol/gateway_feed.h"

namespace nexa::gateway {

using UsageLine = protocol::GatewayUsageLine;

/// Appends usage to a file of JSON lines, on a thread of its own: what comes while one batch is
/// written and flushed goes with the next. Thread-safe.
class UsageSpool {
public:
    static constexpr std::size_t kWaitingBytesMax = std::size_t{64} << 20U;

    /// Makes the file if it is not there. Blocks. Errors: kUnavailable, kPermissionDenied.
    static Result<std::unique_ptr<UsageSpool>> open(const std::filesystem::path& path);
    ~UsageSpool();  ///< as stop()

    /// Never blocks. What cannot be written is kept and tried again with the next line, up to
    /// kWaitingBytesMax; what comes beyond that is lost, and logged.
    void add(const UsageLine& line);
    /// Gives what has been written the name sending_path(), unless something has it that was not
    /// sent yet, and begins a new file. True if there is a file of that name. Whoever has sent it
    /// removes it.
    net::Task<bool> set_aside();
    std::filesystem::path sending_path() const;
    /// Where lines lie that nobody takes, for people to look at. Those that a kill found on their
    /// way can be there twice.
    std::filesystem::path refused_path() const;
    /// Writes what waits. Blocks. Repeatable.
    void stop();

private:
    UsageSpool(std::filesystem::path path, LineFile file);
    Result<bool> set_aside_now();
    void write_waiting();

    Logger log_ = get_logger("gateway.usage");
    const std::filesystem::path path_;
    LineFile file_;  ///< only on the pool's thread
    Mutex mutex_;
    std::string waiting_ NEXA_GUARDED_BY(mutex_);
    bool is_scheduled_ NEXA_GUARDED_BY(mutex_) = false;
    net::WorkPool pool_{{.name = "usage", .threads = 1, .queue_max = 4}};
};

}  // namespace nexa::gateway
