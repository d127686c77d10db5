// SPDX-License-Identifier: Apache-2.0
#include "cli/local_stack.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "cli/local_port.h"
#include "cli/up.h"
#include "core/file.h"
#include "core/trim.h"

namespace nexa::cli {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kServerPort = 8000;
constexpr std::uint16_t kGatewayPort = 8080;
constexpr std::chrono::milliseconds kProbeEvery{100};
constexpr std::uint64_t kLogBytesMax = 64 << 20;
constexpr std::size_t kLastWords = 1'500;
constexpr std::uint64_t kKeyBytesMax = 4096;

}  // namespace

std::string LocalStack::url() const {
    return fmt::format("http://127.0.0.1:{}", ports_.server);
}

std::string LocalStack::gateway_url() const {
    return fmt::format("http://127.0.0.1:{}", ports_.gateway);
}

ChildSpec LocalStack::spec_of(Session& session, const StackOptions& options, Ports ports) {
    return {
        .argv =
            {
                (session.context().program_directory / "nexa").native(),
                "up",
                "--dir",
                options.dir.native(),
                "--port",
                std::to_string(ports.server),
                "--gateway-port",
                std::to_string(ports.gateway),
                "--grace",
                std::to_string(options.grace / 1s),
            },
        .environment = session.context().environment,
        .standard_output = StdioFile{.path = log_in(options.dir)},
        .standard_error = StdioFile{.path = log_in(options.dir), .append = true},
        .containment = Containment::kGuarded,
    };
}

Result<LocalStack> LocalStack::start(Session& session, Interrupt& interrupt, StackOptions options) {
    Ports ports{};
    TRY(ports.server, choose_port(options.port, kServerPort, "--port"));
    TRY(ports.gateway, choose_port(options.gateway_port, kGatewayPort, "--gateway-port"));
    TRY_STATUS(make_folders(options.dir / "logs"));
    TRY(ChildProcess process, ChildProcess::start(spec_of(session, options, ports)));
    LocalStack stack(std::move(options), ports, std::move(process));
    TRY_STATUS(stack.wait_until_ready(session, interrupt));
    TRY(const std::string key, read_file(stack.key_file(), kKeyBytesMax));
    auto& environment = session.context().environment;
    environment["NEXA_API_URL"] = stack.url() + "/api";
    environment["NEXA_API_KEY"] = trimmed(key);
    return stack;
}

Status LocalStack::check_alive() {
    TRY(const bool ended, wait_readable(process_.exit_fd(), 0ns));
    if (!ended) {
        return {};
    }
    const std::string words = read_file(log(), kLogBytesMax).value_or("");
    return Error::unavailable(
               "the programs ended: {}",
               words.substr(words.size() - std::min(words.size(), kLastWords))
    )
        .hint(fmt::format("see {}", (options_.dir / "logs").native()));
}

Status LocalStack::wait_until_ready(Session& session, Interrupt& interrupt) {
    CliContext& context = session.context();
    net::blocking::HttpClient client(
        {.connect_time_max = 500ms, .connections_max = 2},
        RetryTools{.clock = context.clock, .random = context.random, .sleeper = context.sleeper}
    );
    const auto deadline = context.clock.steady_now() + options_.ready_max;
    while (ready_status(client, url()) != 200 || ready_status(client, gateway_url()) != 200) {
        TRY_STATUS(interrupt.wait(kProbeEvery));
        TRY_STATUS(check_alive());
        if (context.clock.steady_now() >= deadline) {
            return Error::deadline_exceeded(
                       "server and gateway were not ready after {} s", options_.ready_max / 1s
            )
                .hint(fmt::format("see {}", (options_.dir / "logs").native()));
        }
    }
    return {};
}

Status LocalStack::stop() {
    // To `up` alone: it ends what is below it in its own way.
    ::kill(process_.pid(), SIGTERM);
    const auto ended = process_.wait(
        std::chrono::steady_clock::now() + 2 * options_.grace + std::chrono::seconds(5)
    );
    process_.end_tree();
    return ended ? Status() : Status(ended.error());
}

}  // namespace nexa::cli
