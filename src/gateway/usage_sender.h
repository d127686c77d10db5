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
/// takes them counts each id once. A line that can be read by nobody, or that is refused for what
/// it says, goes to the spool's refused_path(): it must not keep back the others, nor be lost.
class UsageSender {
public:
    /// Returns once the lines are safe with somebody else. Errors: kInvalidArgument: one of
    /// them will never be taken; after any other they are sent again.
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
    /// The lines together; if they are refused, each by itself.
    net::Task<void> send_part(std::vector<UsageLine> lines);
    /// Errors: kCancelled; those that another attempt will not change.
    net::Task<void> send_until_taken(std::vector<UsageLine> lines);
    net::Task<void> put_by(std::string lines, std::string why);

    const Collaborators with_;
    const std::chrono::milliseconds every_;
    std::uint64_t sent_ = 0;  ///< bytes of the file that is set aside
    Logger log_ = get_logger("gateway.usage");
};

}  // namespace nexa::gateway
