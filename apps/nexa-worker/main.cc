// SPDX-License-Identifier: Apache-2.0
//
// nexa-worker: takes jobs from a Nexa Forge server and runs them on this machine, until SIGTERM.
// Exits with the error's code (0: drained).

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "core/clock.h"
#include "core/log.h"
#include "core/random.h"
#include "core/secrets.h"
#include "net/http_client.h"
#include "net/pools.h"
#include "sandbox/sandbox.h"
#include "worker/agent.h"

namespace {

namespace fs = std::filesystem;

constexpr int kUsageExit = 2;
constexpr int kSlotsMax = 256;
constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;

struct Flags {
    std::string server = "http://127.0.0.1:8000";
    std::string dir;
    std::string name;
    std::string pool = "default";
    std::string engine;
    std::string key_file;
    std::string log_level = "info";
    int slots = 1;
    int drain_seconds = 60;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;
};

/// What SignalWatch takes. Blocked in every thread: call it before any other is started.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);  // our own: the end of the watch
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return signals;
}

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

fs::path engine_beside_us() {
    std::error_code failed;
    const fs::path self = fs::read_symlink("/proc/self/exe", failed);
    return self.parent_path() / "nexa-engine";
}

nexa::Result<nexa::Secret> find_key(const Flags& flags) {
    nexa::SecretSources sources;
    if (!flags.key_file.empty()) {
        sources.environment["NEXA_API_KEY_FILE"] = flags.key_file;
        return nexa::SecretManager(std::move(sources)).get_secret("NEXA_API_KEY");
    }
    for (const char* name : {"NEXA_API_KEY", "NEXA_API_KEY_FILE"}) {
        const char* value =
            std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread is started
        if (value != nullptr) {
            sources.environment[name] = value;
        }
    }
    return nexa::SecretManager(std::move(sources)).get_secret("NEXA_API_KEY");
}

nexa::worker::AgentSettings settings_of(const Flags& flags) {
    nexa::worker::AgentSettings settings{
        .paths = nexa::StoragePaths(fs::absolute(flags.dir)),
        .engine = flags.engine.empty() ? engine_beside_us() : fs::absolute(flags.engine),
        .server_url = flags.server,
        .name = flags.name,
        .pool = flags.pool,
        .slots = flags.slots,
        .drain_time = std::chrono::seconds(flags.drain_seconds),
    };
    if (flags.memory_mib > 0) {
        settings.limits.memory_bytes = static_cast<std::uint64_t>(flags.memory_mib * kMebibyte);
    }
    if (flags.disk_mib > 0) {
        settings.limits.disk_bytes = static_cast<std::uint64_t>(flags.disk_mib * kMebibyte);
    }
    return settings;
}

nexa::Status run(const Flags& flags) {
    auto key = find_key(flags);
    if (!key) {
        return std::move(key).error();
    }
    const sigset_t signals = block_signals();
    const nexa::SystemClock clock;
    nexa::SystemRandom random;
    auto level = nexa::parse_log_level(flags.log_level);
    if (!level) {
        return std::move(level).error().at("--log-level");
    }
    nexa::configure_logging({.level = *level}, clock);
    auto sandbox = nexa::sandbox::make_sandbox(nexa::sandbox::Kind::kProcess);
    if (!sandbox) {
        return std::move(sandbox).error();
    }
    nexa::net::IoPool io;
    nexa::net::WorkPool disk({.name = "disk", .threads = 4});
    nexa::net::WorkPool engines(
        {.name = "engines", .threads = static_cast<std::size_t>(flags.slots)}
    );
    nexa::net::HttpClient http({.user_agent = "nexa-worker"}, clock, random);
    auto agent = nexa::worker::Agent::open(
        settings_of(flags),
        {
            .clock = clock,
            .random = random,
            .io = io,
            .http = http,
            .engines = engines,
            .disk = disk,
            .sandbox = **sandbox,
        },
        *std::move(key)
    );
    if (!agent) {
        return std::move(agent).error();
    }
    const SignalWatch watch(signals, **agent);
    return nexa::net::blocking::wait(io.serial_executor(), (*agent)->run());
}

}  // namespace

int main(int argc, char** argv) {
    Flags flags;
    CLI::App app{"Takes jobs from a Nexa Forge server and runs them on this machine"};
    app.add_option("--server", flags.server, "Where the server is")->capture_default_str();
    app.add_option("--dir", flags.dir, "Folder for keys, inputs and running jobs")->required();
    app.add_option("--name", flags.name, "For people");
    app.add_option("--pool", flags.pool, "Jobs of which pool to take")->capture_default_str();
    app.add_option("--slots", flags.slots, "Jobs at the same time")
        ->capture_default_str()
        ->check(CLI::Range(1, kSlotsMax));
    app.add_option(
        "--engine", flags.engine, "The engine; default: nexa-engine beside this program"
    );
    app.add_option(
        "--key-file",
        flags.key_file,
        "File with the API key; default: $NEXA_API_KEY or $NEXA_API_KEY_FILE"
    );
    app.add_option("--drain-seconds", flags.drain_seconds, "For running jobs to end after SIGTERM")
        ->capture_default_str()
        ->check(CLI::Range(0, 86'400));
    app.add_option("--job-memory-mib", flags.memory_mib, "Memory of each job; 0: no limit")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--job-disk-mib", flags.disk_mib, "Disk of each job; 0: no limit")
        ->check(CLI::NonNegativeNumber);
    app.add_option("--log-level", flags.log_level, "debug, info, warning or error")
        ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kUsageExit;
    }
    const nexa::Status ended = run(flags);
    return ended ? EXIT_SUCCESS : exit_code_of(ended.error());
}
