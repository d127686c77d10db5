// SPDX-License-Identifier: Apache-2.0
//
// nexad: the control plane. Serves the API until SIGTERM or SIGINT.

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <signal.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "backup.h"
#include "build_info.h"
#include "config/setting_flags.h"
#include "config/setting_list.h"
#include "config/settings.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/random.h"
#include "core/this_process.h"
#include "database.h"
#include "settings.h"
#include "wiring.h"

namespace {

/// What to do instead of serving.
struct Wish {
    bool openapi = false;
    bool routes = false;
    bool config = false;
    bool migrate = false;
    std::string backup;
    std::string restore;
};

/// $XDG_CONFIG_HOME/nexa/nexa.yaml, by default below ~/.config; empty without a home.
std::filesystem::path user_file(std::map<std::string, std::string>& variables) {
    const std::string& named = variables["XDG_CONFIG_HOME"];
    if (!named.empty()) {
        return std::filesystem::path(named) / "nexa" / "nexa.yaml";
    }
    const std::string& home = variables["HOME"];
    return home.empty() ? std::filesystem::path()
                        : std::filesystem::path(home) / ".config" / "nexa" / "nexa.yaml";
}

nexa::config::SettingsSources sources() {
    std::error_code failed;
    auto variables = nexa::config::environment_of(environ);
    return {
        .environment = variables,
        .start_folder = std::filesystem::current_path(failed),
        .user_file = user_file(variables),
    };
}

int fail(const nexa::Error& error) {
    std::fprintf(stderr, "nexad: %s\n", error.to_string().c_str());
    return nexa::row_of(error.code).exit_code;
}

/// The routes need a server: one in a folder that is gone afterwards.
int print_routes(
    nexa::nexad::Settings settings, const nexa::Clock& clock, nexa::Random& random, bool as_document
) {
    auto folder = nexa::TemporaryDirectory::create(std::filesystem::temp_directory_path());
    if (!folder) {
        return fail(folder.error());
    }
    settings.dir = folder->path();
    settings.db = {};
    settings.storage = {};
    const auto server = nexa::nexad::Server::open(
        settings, {.environment = nexa::config::environment_of(environ)}, clock, random
    );
    if (!server) {
        return fail(server.error());
    }
    const std::string text = as_document ? (*server)->openapi() : (*server)->route_list();
    std::fputs(text.c_str(), stdout);
    return 0;
}

/// Each setting with its value and where that came from, for `nexa config list`.
int print_config(const std::vector<nexa::config::SettingOrigin>& origins) {
    for (const nexa::config::SettingOrigin& setting : origins) {
        std::printf(
            "%s\t%s\t%s\n", setting.path.c_str(), setting.value.c_str(), setting.origin.c_str()
        );
    }
    return 0;
}

/// For `nexa migrate`, `nexa backup` and `nexa restore`, which read it.
template <class T>
int print(const nexa::Result<T>& report) {
    if (!report) {
        return fail(report.error());
    }
    std::puts(nexa::to_json(*report).c_str());
    return 0;
}

int serve(const nexa::nexad::Settings& settings, const nexa::Clock& clock, nexa::Random& random) {
    const sigset_t signals = nexa::block_signals({SIGTERM, SIGINT});
    ::signal(SIGPIPE, SIG_IGN);
    nexa::configure_logging(
        {.level = nexa::parse_log_level(settings.log_level).value_or(nexa::LogLevel::kInfo),
         .format = settings.log_format == "text" ? nexa::LogFormat::kText : nexa::LogFormat::kJson},
        clock
    );
    const auto server = nexa::nexad::Server::open(
        settings, {.environment = nexa::config::environment_of(environ)}, clock, random
    );
    if (!server) {
        return fail(server.error());
    }
    if (const nexa::Status started = (*server)->start(); !started) {
        return fail(started.error());
    }
    int signal = 0;
    sigwait(&signals, &signal);
    (*server)->stop();
    nexa::process_log().silence();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"nexad: the control plane of Nexa Forge. Serves the API on --port (default 8000)."
    };
    nexa::config::SettingFlags flags(app);
    flags.add("dir", "Folder of the database, artifacts and keys (default nexa-data)");
    flags.add("port", "Port to listen on (default 8000; 0: any free one)");
    flags.add("address", "Address to listen on (default 127.0.0.1)");
    Wish wish;
    app.add_flag("--print-config", wish.config, "Print each setting and its origin and exit");
    app.add_flag(
        "--migrate", wish.migrate, "Copy SQLite's rows to the PostgreSQL of db.url and exit"
    );
    app.add_option("--backup", wish.backup, "Write all that the server has to a folder and exit");
    app.add_option("--restore", wish.restore, "Bring a backup into an empty folder and exit");
    app.add_flag("--print-openapi", wish.openapi, "Print the OpenAPI document and exit");
    app.add_flag("--print-routes", wish.routes, "Print every route that is answered and exit");
    app.set_version_flag("--version", NEXA_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (flags.printed_reference<nexa::nexad::Settings>()) {
        return 0;
    }
    auto settings = flags.load<nexa::nexad::Settings>("nexad", sources());
    if (!settings) {
        return fail(settings.error());
    }
    if (wish.config) {
        return print_config(settings->origins);
    }
    const nexa::SystemClock clock;
    if (wish.migrate) {
        return print(nexa::nexad::copy_to_postgres(settings->value, clock));
    }
    if (!wish.backup.empty()) {
        return print(nexa::nexad::take_backup(settings->value, wish.backup, clock));
    }
    if (!wish.restore.empty()) {
        return print(nexa::nexad::restore_backup(settings->value, wish.restore, clock));
    }
    nexa::SystemRandom random;
    if (wish.openapi || wish.routes) {
        return print_routes(std::move(settings->value), clock, random, wish.openapi);
    }
    return serve(settings->value, clock, random);
}
