// SPDX-License-Identifier: Apache-2.0
//
// nexa-gateway: serves models over OpenAI's API, until SIGTERM. Exits with the error's code (0:
// drained).

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "gateway/gateway.h"

namespace {

namespace fs = std::filesystem;

constexpr int kUsageExit = 2;

struct Flags {
    std::string dir = "nexa-data";
    std::string address = "127.0.0.1";
    int port = 8080;
    std::vector<std::string> models;
    std::string keys_file;
    std::string engine;
    std::string log_level = "info";
    int drain_seconds = 20;
};

int exit_code_of(const nexa::Error& error) {
    std::fprintf(stderr, "nexa-gateway: %s\n", error.to_string().c_str());
    return nexa::row_of(error.code).exit_code;
}

fs::path engine_beside_us() {
    std::error_code failed;
    const fs::path self = fs::read_symlink("/proc/self/exe", failed);
    return self.parent_path() / "nexa-engine";
}

nexa::Result<nexa::gateway::GatewaySettings> settings_of(const Flags& flags) {
    nexa::gateway::GatewaySettings settings{
        .dir = flags.dir,
        .engine = flags.engine.empty() ? engine_beside_us() : fs::absolute(flags.engine),
        .address = flags.address,
        .port = static_cast<std::uint16_t>(flags.port),
        .keys_file = flags.keys_file,
        .version = NEXA_VERSION,
        .drain_max = std::chrono::seconds(flags.drain_seconds),
    };
    for (const std::string& text : flags.models) {
        auto model = nexa::gateway::parse_static_model(text);
        if (!model) {
            return std::move(model).error();
        }
        settings.models.push_back(*std::move(model));
    }
    return settings;
}

/// Blocked before the first thread starts, so that only this one takes them.
sigset_t block_signals() {
    sigset_t signals{};
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return signals;
}

int serve(const Flags& flags) {
    const sigset_t signals = block_signals();
    const nexa::SystemClock clock;
    nexa::SystemRandom random;
    const auto level = nexa::parse_log_level(flags.log_level);
    if (!level) {
        return exit_code_of(level.error());
    }
    nexa::configure_logging({.level = *level}, clock);
    const auto settings = settings_of(flags);
    if (!settings) {
        return exit_code_of(settings.error());
    }
    const auto gateway = nexa::gateway::Gateway::open(*settings, clock, random);
    if (!gateway) {
        return exit_code_of(gateway.error());
    }
    if (const nexa::Status started = (*gateway)->start(); !started) {
        return exit_code_of(started.error());
    }
    int signal = 0;
    sigwait(&signals, &signal);
    (*gateway)->stop();
    nexa::process_log().silence();
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app{"Serves models over OpenAI's API on --port (default 8080)"};
    app.add_option("--dir", flags.dir, "Folder for its state; DIR/gateway is its own")
        ->capture_default_str();
    app.add_option("--address", flags.address, "Address to listen on")->capture_default_str();
    app.add_option("--port", flags.port, "Port to listen on; 0: any free one")
        ->capture_default_str()
        ->check(CLI::Range(0, 65'535));
    app.add_option("--model", flags.models, "NAME=FOLDER: serve this model; repeatable");
    app.add_option(
        "--keys-file", flags.keys_file, "Keys that may ask, or their SHA-256, one a line"
    );
    app.add_option("--engine", flags.engine, "Default: nexa-engine beside this program");
    app.add_option("--drain-seconds", flags.drain_seconds, "For requests to end after SIGTERM")
        ->capture_default_str()
        ->check(CLI::Range(0, 86'400));
    app.add_option("--log-level", flags.log_level, "debug, info, warning or error")
        ->capture_default_str();
    app.set_version_flag("--version", NEXA_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsageExit;
    }
    return serve(flags);
}
