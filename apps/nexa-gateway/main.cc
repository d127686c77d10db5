// SPDX-License-Identifier: Apache-2.0
//
// nexa-gateway: serves models over OpenAI's API, until SIGTERM. Exits with the error's code (0:
// drained).

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "build_info.h"
#include "config/setting_flags.h"
#include "config/settings.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/secrets.h"
#include "core/this_process.h"
#include "gateway/gateway.h"
#include "settings.h"

namespace {

namespace fs = std::filesystem;
using nexa::gateway_app::Settings;

constexpr int kUsageExit = 2;

using Environment = std::map<std::string, std::string>;

int exit_code_of(const nexa::Error& error) {
    std::fprintf(stderr, "nexa-gateway: %s\n", error.to_string().c_str());
    return nexa::row_of(error.code).exit_code;
}

nexa::Result<nexa::gateway::ControlPlane> control_plane_of(
    const Settings& settings, Environment environment
) {
    if (!settings.key_file.empty()) {
        environment.erase("NEXA_API_KEY");
        environment["NEXA_API_KEY_FILE"] = settings.key_file;
    }
    const nexa::SecretManager secrets({.environment = std::move(environment), .folders = {}});
    TRY(auto key, secrets.get_secret("NEXA_API_KEY"));
    return nexa::gateway::ControlPlane{
        .server_url = settings.server, .api_key = std::move(key), .region = settings.region
    };
}

nexa::Result<nexa::gateway::GatewaySettings> gateway_settings_of(
    const Settings& settings, const Environment& environment
) {
    nexa::gateway::GatewaySettings made{
        .dir = settings.dir,
        .engine = settings.engine.empty() ? nexa::program_directory() / "nexa-engine"
                                          : fs::absolute(settings.engine),
        .address = settings.address,
        .port = static_cast<std::uint16_t>(settings.port),
        .keys_file = settings.keys_file,
        .public_url = settings.url,
        .version = NEXA_VERSION,
        .commit = NEXA_COMMIT,
        .drain_max = std::chrono::seconds(settings.drain_seconds),
    };
    for (const std::string& text : settings.models) {
        TRY(auto model, nexa::gateway::parse_static_model(text));
        made.models.push_back(std::move(model));
    }
    if (!settings.server.empty()) {
        TRY(made.control, control_plane_of(settings, environment));
    }
    return made;
}

nexa::Status serve(const Settings& settings, const Environment& environment) {
    const sigset_t signals = nexa::block_signals({SIGTERM, SIGINT});
    ::signal(SIGPIPE, SIG_IGN);
    const nexa::SystemClock clock;
    nexa::SystemRandom random;
    nexa::configure_logging(
        {.level = nexa::parse_log_level(settings.log_level).value_or(nexa::LogLevel::kInfo)}, clock
    );
    TRY(auto gateway_settings, gateway_settings_of(settings, environment));
    TRY(const auto gateway,
        nexa::gateway::Gateway::open(std::move(gateway_settings), clock, random));
    TRY_STATUS(gateway->start());
    int signal = 0;
    sigwait(&signals, &signal);
    gateway->stop();
    nexa::process_log().silence();
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Serves models over OpenAI's API on --port (default 8080)"};
    nexa::config::SettingFlags flags(app);
    flags.add("dir", "Folder for its state; DIR/gateway is its own (default nexa-data)");
    flags.add("address", "Address to listen on (default 127.0.0.1)");
    flags.add("port", "Port to listen on (default 8080; 0: any free one)");
    flags.add("server", "The Nexa Forge server that says what to serve");
    flags.add("key-file", "File with the key for it; default: $NEXA_API_KEY or $NEXA_API_KEY_FILE");
    flags.add("region", "The pool of gateways it is of (default local)");
    flags.add("url", "Where clients reach it; default: address and port");
    flags.add("keys-file", "Keys that may ask for any model, or their SHA-256, one a line");
    flags.add("engine", "The engine; default: nexa-engine beside this program");
    flags.add("drain-seconds", "For requests to end after SIGTERM (default 20)");
    flags.add("log-level", "debug, info, warning, error or off (default info)");
    std::vector<std::string> models;
    app.add_option("--model", models, "NAME=FOLDER: serve this model besides; repeatable");
    app.set_version_flag("--version", NEXA_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsageExit;
    }
    if (flags.printed_reference<Settings>()) {
        return EXIT_SUCCESS;
    }
    const Environment environment = nexa::config::environment_of(environ);
    auto settings = flags.load<Settings>("nexa-gateway", {.environment = environment});
    if (!settings) {
        return exit_code_of(settings.error());
    }
    std::ranges::move(models, std::back_inserter(settings->value.models));
    const nexa::Status ended = serve(settings->value, environment);
    return ended ? EXIT_SUCCESS : exit_code_of(ended.error());
}
