// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "gateway/usage_spool.h"
#include "net/pools.h"
#include "net/task.h"

namespace nexa::gateway {

/// Takes usage from the spool to the control plane: what was written is set aside, sent in parts,
/// and removed once all of it is confirmed. After a kill the same lines are sent again, so who
/// takes them counts each id once.
class UsageSender {
public:
    /// Returns once the lines are safe with somebody else. Errors: any; they are sent again.
    using Send = std::function<net::Task<void>(std::vector<UsageLine> lines)>;

    struct Collaborators {
        UsageSpool& spool;
        net::WorkPool& disk;
        const Clock& clock;
        Random& random;
        Send send;
    };
    UsageSender(Collaborators with, std::chrono::milliseconds every)
        : with_(std::move(with)), every_(every) {}

    /// Sends what there is and comes again after `every`, for as long as it is not cancelled.
    net::Task<void> run();

private:
    net::Task<void> send_file(std::filesystem::path path);
    net::Task<void> send_part(std::vector<UsageLine> lines);

    const Collaborators with_;
    const std::chrono::milliseconds every_;
    Logger log_ = get_logger("gateway.usage");
};

}  // namespace nexa::gateway
