// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/interrupt.h"
#include "cli/session.h"
#include "core/child_process.h"

namespace nexa::cli {

struct StackOptions {
    std::filesystem::path dir;
    std::optional<std::uint16_t> port;          ///< none: 8000, or any that is free
    std::optional<std::uint16_t> gateway_port;  ///< none: 8080, or any that is free
    std::chrono::seconds ready_max{120};
    std::chrono::seconds grace{6};  ///< for programs to end
};

/// Server, worker and gateway as a child of this command: `nexa up`, started and stopped. They end
/// with this object, and with this process however it ends. Not thread-safe.
class LocalStack {
public:
    /// Starts the programs and waits until both ports answer that they are ready; from then on the
    /// session's client asks this server with the administrator's key. Blocks.
    /// Errors: kCancelled (a signal), kDeadlineExceeded, kUnavailable (a port is taken, a program
    /// ended: with its last words), those of ChildProcess::start.
    static Result<LocalStack> start(Session& session, Interrupt& interrupt, StackOptions options);

    LocalStack(LocalStack&&) noexcept = default;
    LocalStack& operator=(LocalStack&&) noexcept = default;

    /// Ends all of it and waits for that. Errors: kUnavailable if something had to be killed.
    Status stop();

    std::string url() const;
    std::string gateway_url() const;
    std::filesystem::path key_file() const { return options_.dir / "admin.key"; }

private:
    struct Ports {
        std::uint16_t server;
        std::uint16_t gateway;
    };

    LocalStack(StackOptions options, Ports ports, ChildProcess process)
        : options_(std::move(options)), ports_(ports), process_(std::move(process)) {}

    static ChildSpec spec_of(Session& session, const StackOptions& options, Ports ports);

    Status wait_until_ready(Session& session, Interrupt& interrupt);
    Status check_alive();
    std::filesystem::path log() const { return log_in(options_.dir); }
    static std::filesystem::path log_in(const std::filesystem::path& dir) {
        return dir / "logs" / "up.log";
    }

    StackOptions options_;
    Ports ports_;  ///< as asked for, or those found free
    ChildProcess process_;
};

}  // namespace nexa::cli
