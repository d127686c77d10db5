// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "protocol/envelope.h"
#include "protocol/result_messages.h"

namespace nexa::worker {

/// Signed results that the server has not answered, one file each, named by their lease. They
/// outlive the worker. Everything here blocks on the disk. Thread-safe for different leases.
class Outbox {
public:
    explicit Outbox(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// On the disk when it returns. Errors: kUnavailable (disk full).
    Status keep(const std::string& lease, const protocol::Envelope& result) const;
    /// Errors: kNotFound; kMalformed: whatever lies there is no result.
    Result<protocol::Envelope> load(const std::string& lease) const;
    void drop(const std::string& lease) const;
    /// The leases of all that is kept, sorted. Errors: kUnavailable.
    Result<std::vector<std::string>> list() const;

private:
    std::filesystem::path path_of(const std::string& lease) const {
        return folder_ / (lease + ".json");
    }

    std::filesystem::path folder_;
};

/// What the server's answer to a result means.
enum class Verdict : std::uint8_t {
    kAccepted,
    kLeaseLost,  ///< too late: forget it
    kRefused,    ///< the result itself is not taken: the same one never will be
    kTryAgain,
};
Verdict verdict_of(const protocol::CompleteOutcome& outcome);

}  // namespace nexa::worker
