// SPDX-License-Identifier: Apache-2.0
//
// nexa-worker: takes jobs from a Nexa Forge server and runs them on this machine, until SIGTERM.
// Exits with the error's code (0: drained).

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/setting_flags.h"
#include "config/settings.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/secrets.h"
#include "core/this_process.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "sandbox/sandbox.h"
#include "settings.h"
#include "worker/agent.h"
#include "worker/llm_service.h"

namespace {

namespace fs = std::filesystem;
using nexa::worker_app::Settings;

constexpr int kUsageExit = 2;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;

using Environment = std::map<std::string, std::string>;

/// Takes SIGTERM and SIGINT on a thread, since a handler may not lock. The first one drains, the
/// second hands running jobs back at once.
class SignalWatch {
public:
    SignalWatch(const sigset_t& signals, nexa::worker::Agent& agent)
        : thread_([signals, &agent] {
              bool is_first = true;
              for (int signal = 0; sigwait(&signals, &signal) == 0 && signal != SIGUSR1;
                   is_first = false) {
                  if (is_first) {
                      agent.drain();
                  } else {
                      agent.stop_now();
                  }
              }
          }) {}
    ~SignalWatch() {
        pthread_kill(thread_.native_handle(), SIGUSR1);
        thread_.join();
    }
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

private:
    std::thread thread_;
};

int exit_code_of(const nexa::Error& error) {
    std::fprintf(stderr, "nexa-worker: %s\n", error.to_string().c_str());
    return nexa::row_of(error.code).exit_code;
}

nexa::SecretManager make_secrets(const Settings& settings, const Environment& environment) {
    nexa::SecretSources sources{.environment = environment};
    if (!settings.key_file.empty()) {
        sources.environment.erase("NEXA_API_KEY");
        sources.environment["NEXA_API_KEY_FILE"] = settings.key_file;
    }
    if (!settings.secrets_folder.empty()) {
        sources.folders.emplace_back(settings.secrets_folder);
    }
    return nexa::SecretManager(std::move(sources));
}

std::string first_of(const Environment& environment, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto found = environment.find(name);
        if (found != environment.end() && !found->second.empty()) {
            return found->second;
        }
    }
    return {};
}

nexa::worker::LlmSettings llm_settings_of(
    const Settings& settings, const Environment& environment
) {
    nexa::worker::LlmSettings llm{
        .teachers = settings.teachers,
        .default_teacher = settings.default_teacher,
        .cache_bytes_max = settings.answers_mib * kMebibyte,
        .proxy = settings.proxy,
        .no_proxy = settings.no_proxy,
        .ca_file = settings.ca_file,
    };
    if (llm.proxy.empty()) {
        llm.proxy = first_of(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
        llm.no_proxy =
            llm.no_proxy.empty() ? first_of(environment, {"no_proxy", "NO_PROXY"}) : llm.no_proxy;
        // A teacher on this machine is never behind the environment's proxy.
        llm.no_proxy += llm.no_proxy == "*" ? "" : ",localhost,127.0.0.1,::1";
    }
    return llm;
}

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(std::llround(seconds * 1e3));
}

nexa::worker::AgentSettings agent_settings_of(
    const Settings& settings, const Environment& environment
) {
    nexa::worker::AgentSettings agent{
        .paths = nexa::StoragePaths(fs::absolute(settings.dir)),
        .engine = settings.engine.empty() ? nexa::program_directory() / "nexa-engine"
                                          : fs::absolute(settings.engine),
        .server_url = settings.server,
        .name = settings.name,
        .pool = settings.pool,
        .slots = settings.slots,
        .drain_time = std::chrono::seconds(settings.drain_seconds),
        .cancel_grace = milliseconds_of(settings.cancel_grace_seconds),
        .inputs_bytes_max = settings.inputs_mib * kMebibyte,
        .health =
            {.disk_bytes_min = settings.disk_free_mib * kMebibyte,
             .clock_offset_max = milliseconds_of(settings.clock_offset_seconds),
             .gpus = settings.gpus < 0 ? std::nullopt : std::optional(settings.gpus)},
        .health_pause = milliseconds_of(settings.health_seconds),
        .search_path = first_of(environment, {"PATH"}),
    };
    if (settings.job_memory_mib > 0) {
        agent.limits.memory_bytes = static_cast<std::uint64_t>(settings.job_memory_mib * kMebibyte);
    }
    if (settings.job_disk_mib > 0) {
        agent.limits.disk_bytes = static_cast<std::uint64_t>(settings.job_disk_mib * kMebibyte);
    }
    return agent;
}

nexa::Status run(const Settings& settings, const Environment& environment) {
    const nexa::SecretManager secrets = make_secrets(settings, environment);
    auto key = secrets.get_secret("NEXA_API_KEY");
    if (!key) {
        return std::move(key).error();
    }
    // What SignalWatch takes; SIGUSR1 is our own: the end of the watch.
    const sigset_t signals = nexa::block_signals({SIGTERM, SIGINT, SIGUSR1});
    ::signal(SIGPIPE, SIG_IGN);
    const nexa::SystemClock clock;
    nexa::SystemRandom random;
    nexa::configure_logging(
        {.level = nexa::parse_log_level(settings.log_level).value_or(nexa::LogLevel::kInfo)}, clock
    );
    auto sandbox = nexa::sandbox::make_sandbox(nexa::sandbox::Kind::kProcess);
    if (!sandbox) {
        return std::move(sandbox).error();
    }
    nexa::net::IoPool io;
    nexa::net::WorkPool disk({.name = "disk", .threads = 4});
    nexa::net::WorkPool engines(
        {.name = "engines", .threads = static_cast<std::size_t>(settings.slots)}
    );
    nexa::net::HttpClient http({.user_agent = "nexa-worker"}, clock, random);
    const nexa::worker::AgentSettings agent_settings = agent_settings_of(settings, environment);
    auto llm = nexa::worker::LlmService::open(
        llm_settings_of(settings, environment),
        agent_settings.paths.worker_answers(),
        {.clock = clock, .random = random, .io = io, .disk = disk, .secrets = secrets}
    );
    if (!llm) {
        return std::move(llm).error();
    }
    auto agent = nexa::worker::Agent::open(
        agent_settings,
        {
            .clock = clock,
            .random = random,
            .io = io,
            .http = http,
            .engines = engines,
            .disk = disk,
            .sandbox = **sandbox,
            .llm = **llm,
        },
        *std::move(key)
    );
    if (!agent) {
        return std::move(agent).error();
    }
    const SignalWatch watch(signals, **agent);
    return nexa::net::blocking::wait(io.serial_executor(), (*agent)->run());
}

void add_flags(nexa::config::SettingFlags& flags) {
    flags.add("server", "Where the server is (default http://127.0.0.1:8000)");
    flags.add("dir", "Folder for keys, inputs and running jobs");
    flags.add("name", "For people");
    flags.add("pool", "Jobs of which pool to take (default: default)");
    flags.add("slots", "Jobs at the same time (default 1)");
    flags.add("engine", "The engine; default: nexa-engine beside this program");
    flags.add("key-file", "File with the API key; default: $NEXA_API_KEY or $NEXA_API_KEY_FILE");
    flags.add("drain-seconds", "For running jobs to end after SIGTERM (default 60)");
    flags.add("job-memory-mib", "Memory of each job; 0: no limit");
    flags.add("job-disk-mib", "Disk of each job; 0: no limit");
    flags.add("log-level", "debug, info, warning, error or off (default info)");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Takes jobs from a Nexa Forge server and runs them on this machine"};
    nexa::config::SettingFlags flags(app);
    add_flags(flags);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsageExit;
    }
    if (flags.printed_reference<Settings>()) {
        return EXIT_SUCCESS;
    }
    const Environment environment = nexa::config::environment_of(environ);
    const auto settings = flags.load<Settings>("nexa-worker", {.environment = environment});
    if (!settings) {
        return exit_code_of(settings.error());
    }
    const nexa::Status ended = run(settings->value, environment);
    return ended ? EXIT_SUCCESS : exit_code_of(ended.error());
}
