// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::orchestration {

/// A program that is told something on its standard input.
struct HookCommand {
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;
    std::filesystem::path folder;  ///< for files that are gone afterwards
    std::chrono::milliseconds time_max{60'000};
};

namespace blocking {

/// Runs it to its end and returns what it wrote. What it started in a session of its own lives on;
/// all else of it is ended. `stopped` ends it early. Errors: those of ChildProcess::start;
/// kUnavailable (an exit code, with the last line it wrote), kDeadlineExceeded, kCancelled.
Result<std::string> run_hook(
    const HookCommand& command, std::string_view input, const std::atomic<bool>& stopped
);

}  // namespace blocking

/// The value of the header `webhook-signature` after the Standard Webhooks specification 1.0.0:
/// HMAC-SHA256 over "id.timestamp.body". A secret that begins with "whsec_" is base64 behind that.
std::string webhook_signature(
    std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view body
);

}  // namespace nexa::orchestration
