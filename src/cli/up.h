// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/restart_plan.h"
#include "cli/session.h"
#include "net/http_client.h"

namespace nexa::cli {

struct UpOptions {
    std::filesystem::path dir;
    std::uint16_t port = 8000;
    std::uint16_t gateway_port = 8080;
    int workers = 1;
    /// From SIGTERM to SIGKILL, for each stage of the end.
    std::chrono::milliseconds grace{20'000};
    std::chrono::milliseconds ready_max{120'000};
    /// A gateway that has not answered by then is said to be not ready.
    std::chrono::milliseconds gateway_ready_max{10'000};
    RestartOptions restart = {};
};

/// What GET /readyz of the server at `root` answers; 0 if it does not answer. Blocks for up to 2 s.
int ready_status(net::blocking::HttpClient& client, const std::string& root);

/// Runs nexad, its workers and, where that program is, the gateway on this machine until a signal
/// comes; says so when server and gateway answer, or the gateway does not in time. Blocks.
///
/// Returns 0 after a signal, or the exit code of a child that cannot run (2, 4). Ends workers and
/// gateway first, then nexad; a second signal kills at once. Nothing runs on after it returns, nor
/// after it was killed. Errors: kConflict if another `up` holds the folder; kUnavailable if a port
/// is taken; kNotFound if a program is missing; kDeadlineExceeded if the server does not become
/// ready.
Result<int> run_up(Session& session, UpOptions options);

}  // namespace nexa::cli
