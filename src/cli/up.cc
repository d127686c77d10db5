// SPDX-License-Identifier: Apache-2.0
#include "cli/up.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "cli/local_port.h"
#include "core/check.h"
#include "core/child_process.h"
#include "core/file.h"
#include "core/file_lock.h"
#include "core/json_writer.h"
#include "core/os_error.h"

namespace nexa::cli {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kProbeEvery{200};
constexpr std::chrono::milliseconds kPollMax{1'000};
constexpr std::uint64_t kTailBytes = 2'000;

Result<UniqueFd> lock_folder(const fs::path& dir) {
    auto lock = lock_file(dir / "up.lock");
    if (!lock && lock.error().code == ErrorCode::kConflict) {
        return Error::conflict("another 'nexa up' runs on {}", dir.native())
            .hint("stop that one, or give another --dir");
    }
    return lock;
}

/// What is left of `grace` after a worker that gives its jobs back has told the server so.
std::chrono::seconds drain_time(std::chrono::milliseconds grace) {
    return std::chrono::floor<std::chrono::seconds>(std::max(grace - 5s, 0ms));
}

/// One program that is kept running.
struct Kept {
    std::string name;
    std::vector<std::string> argv;
    fs::path log;
    RestartPlan plan;
    std::optional<ChildProcess> process = std::nullopt;
    Time due{};  ///< when it is started, while it does not run
    std::uint64_t log_begin = 0;
};

/// What it wrote since it was started, the last of it.
std::string last_words(const Kept& kept) {
    std::error_code failed;
    const std::uint64_t size = fs::file_size(kept.log, failed);
    const UniqueFd file(::open(kept.log.c_str(), O_RDONLY | O_CLOEXEC));
    if (failed || !file || size <= kept.log_begin) {
        return {};
    }
    std::string text(std::min(size - kept.log_begin, kTailBytes), '\0');
    const ssize_t got =
        ::pread(file.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    text.resize(text.find_last_not_of('\n') + 1);
    return text;
}

class Up {
public:
    Up(Session& session, UpOptions options)
        : session_(session),
          options_(std::move(options)),
          clock_(session.context().clock),
          url_(fmt::format("http://127.0.0.1:{}", options_.port)),
          gateway_url_(fmt::format("http://127.0.0.1:{}", options_.gateway_port)),
          client_(
              {.connect_time_max = 500ms, .connections_max = 1},
              RetryTools{
                  .clock = clock_,
                  .random = session.context().random,
                  .sleeper = session.context().sleeper
              }
          ) {}

    Result<int> run() {
        TRY_STATUS(prepare());
        ready_by_ = clock_.steady_now() + options_.ready_max;
        const Result<int> code = keep_running();
        const std::span<Kept> all(kept_);
        stop(all.subspan(1));  // workers and gateway, so that they can still report
        stop(all.first(1));
        return code;
    }

private:
    enum class Stage : std::uint8_t {
        kStarting,  ///< nexad alone runs
        kServing,   ///< nexad answers: the others run too
        kUp,        ///< it has been said that all is up
    };

    Status prepare();
    Status check_ports() const;
    Status add(
        const std::string& name, std::string_view program, std::vector<std::string> arguments
    );
    Result<int> keep_running();
    void start(Kept& kept);
    std::optional<int> look_after(Kept& kept);
    std::optional<int> on_end(Kept& kept);
    Status probe();
    /// What it answers; 0 if it does not, or does not run.
    int ready_status(const Kept& kept, const std::string& url);
    /// `gateway`: may be nullptr.
    void announce(const Kept* gateway, int gateway_status);
    /// Waits for a child's end, a signal (true) or `until`.
    bool wait_for_events(Time until);
    void stop(std::span<Kept> these);
    static bool all_ended(std::span<Kept> these);
    Time next_event() const;

    Session& session_;
    const UpOptions options_;
    const Clock& clock_;
    const std::string url_;
    const std::string gateway_url_;
    net::blocking::HttpClient client_;
    UniqueFd lock_;
    UniqueFd signals_;
    std::vector<Kept> kept_;  // nexad first, the gateway last
    bool has_gateway_ = false;
    Stage stage_ = Stage::kStarting;
    bool forced_ = false;
    Time ready_by_{};
    Time gateway_by_{};
    Time next_probe_{};
};

Status Up::add(
    const std::string& name, std::string_view program, std::vector<std::string> arguments
) {
    const fs::path path = session_.context().program_directory / program;
    if (::access(path.c_str(), X_OK) != 0) {
        return Error::not_found("there is no program {}", path.native())
            .hint("install it beside the program nexa, or build it");
    }
    arguments.insert(arguments.begin(), path.native());
    kept_.push_back({
        .name = name,
        .argv = std::move(arguments),
        .log = options_.dir / "logs" / (name + ".log"),
        .plan = RestartPlan(options_.restart),
    });
    return {};
}

/// Before anything is started: the worker would show its key to whoever else listens there.
Status Up::check_ports() const {
    const CliContext& context = session_.context();
    if (!context.is_port_free(options_.port)) {
        return port_is_taken(options_.port, "--port");
    }
    if (!context.is_port_free(options_.gateway_port)) {
        return port_is_taken(options_.gateway_port, "--gateway-port");
    }
    return {};
}

Status Up::prepare() {
    const std::string dir = options_.dir.native();
    std::error_code failed;
    TRY_STATUS(make_folders(options_.dir / "logs"));
    TRY(lock_, lock_folder(options_.dir));
    TRY_STATUS(check_ports());
    const std::string key = dir + "/admin.key";
    TRY_STATUS(add("nexad", "nexad", {"--dir", dir, "--port", std::to_string(options_.port)}));
    for (int i = 1; i <= options_.workers; ++i) {
        const std::string number = i == 1 ? "" : fmt::format("-{}", i);
        std::vector<std::string> arguments{
            "--server",
            url_,
            "--dir",
            fmt::format("{}/worker{}", dir, number),
            "--key-file",
            key,
            "--drain-seconds",
            std::to_string(drain_time(options_.grace) / 1s),
        };
        // Teachers and other settings of workers, if the user has written some.
        if (const fs::path config = options_.dir / "worker.yaml"; fs::exists(config, failed)) {
            arguments.insert(arguments.end(), {"--config", config.native()});
        }
        TRY_STATUS(add("nexa-worker" + number, "nexa-worker", std::move(arguments)));
    }
    has_gateway_ = fs::exists(session_.context().program_directory / "nexa-gateway", failed);
    if (has_gateway_) {
        TRY_STATUS(
            add("nexa-gateway",
                "nexa-gateway",
                {"--server",
                 url_,
                 "--dir",
                 dir,
                 "--port",
                 std::to_string(options_.gateway_port),
                 "--key-file",
                 key})
        );
    }
    TRY(signals_, session_.context().watch_signals());
    return {};
}

void Up::start(Kept& kept) {
    std::error_code failed;
    const std::uint64_t size = fs::file_size(kept.log, failed);
    kept.log_begin = failed ? 0 : size;
    // Guarded: the worker's engines have sessions of their own, and must end with us too.
    ChildSpec spec{
        .argv = kept.argv,
        .environment = session_.context().environment,
        .standard_output = StdioFile{.path = kept.log, .append = true},
        .standard_error = StdioFile{.path = kept.log, .append = true},
        .containment = Containment::kGuarded,
    };
    // These are for clients: a server has no use for the user's key.
    spec.environment.erase("NEXA_API_KEY");
    spec.environment.erase("NEXA_API_URL");
    auto started = ChildProcess::start(spec);
    const Time now = clock_.steady_now();
    if (!started) {
        kept.due = kept.plan.failed_to_start(now).when;
        session_.note(fmt::format("{}: {}", kept.name, started.error().to_string()));
        return;
    }
    kept.plan.started(now);
    kept.process = std::move(*started);
}

std::optional<int> Up::on_end(Kept& kept) {
    NEXA_CHECK(kept.process.has_value());
    const auto status = kept.process->wait(clock_.steady_now() + 1s);
    kept.process.reset();  // and with it whatever it left running
    const Time now = clock_.steady_now();
    const auto decision = kept.plan.ended(status.value_or(ExitStatus{}), now);
    const std::string ended =
        fmt::format("{} ended ({})", kept.name, status ? status->to_string() : "unknown");
    const std::string words = last_words(kept);
    if (const auto* give_up = std::get_if<RestartPlan::GiveUp>(&decision)) {
        session_.note(fmt::format("{} and would again:\n{}", ended, words));
        return give_up->exit_code;
    }
    kept.due = std::get<RestartPlan::RestartAt>(decision).when;
    const double seconds = std::chrono::duration<double>(kept.due - now).count();
    const std::string last = words.substr(words.rfind('\n') + 1);
    session_.note(fmt::format(
        "{}; starting it again in {:.1f} s{}{}", ended, seconds, last.empty() ? "" : ": ", last
    ));
    return std::nullopt;
}

std::optional<int> Up::look_after(Kept& kept) {
    if (kept.process) {
        const auto ended = wait_readable(kept.process->exit_fd(), 0ns);
        return ended && *ended ? on_end(kept) : std::nullopt;
    }
    const bool may_start = stage_ != Stage::kStarting || &kept == &kept_.front();
    if (may_start && clock_.steady_now() >= kept.due) {
        start(kept);
    }
    return std::nullopt;
}

int Up::ready_status(const Kept& kept, const std::string& url) {
    if (!kept.process) {
        return 0;
    }
    const int status = cli::ready_status(client_, url);
    // Whoever else sits on the port may answer, but then our own does not run for long.
    const auto ended = wait_readable(kept.process->exit_fd(), 0ns);
    return ended && !*ended ? status : 0;
}

Status Up::probe() {
    const Time now = clock_.steady_now();
    if (stage_ == Stage::kUp || now < next_probe_) {
        return {};
    }
    next_probe_ = now + kProbeEvery;
    if (stage_ == Stage::kStarting) {
        if (ready_status(kept_.front(), url_) != 200) {
            return now < ready_by_
                       ? Status()
                       : Error::deadline_exceeded(
                             "the server was not ready after {} s", options_.ready_max / 1s
                         )
                             .hint(fmt::format("see {}", kept_.front().log.native()));
        }
        stage_ = Stage::kServing;
        gateway_by_ = now + options_.gateway_ready_max;
    }
    const Kept* const gateway = has_gateway_ ? &kept_.back() : nullptr;
    // 503: it is there, and loads models or has one that cannot run.
    const int status = gateway == nullptr ? 0 : ready_status(*gateway, gateway_url_);
    if (gateway == nullptr || status == 200 || status == 503 || now >= gateway_by_) {
        stage_ = Stage::kUp;
        announce(gateway, status);
    }
    return {};
}

void Up::announce(const Kept* gateway, int gateway_status) {
    const std::string key = (options_.dir / "admin.key").native();
    if (session_.json()) {
        JsonWriter writer;
        writer.begin_object();
        writer.key("url");
        writer.string(url_);
        writer.key("api_url");
        writer.string(url_ + "/api");
        if (gateway != nullptr) {
            writer.key("gateway_url");
            writer.string(gateway_url_);
            writer.key("gateway_ready");
            writer.boolean(gateway_status == 200);
        }
        writer.key("key_file");
        writer.string(key);
        writer.end_object();
        session_.print_json(writer.take());
        return;
    }
    session_.print(fmt::format("Nexa Forge is up at {}", url_));
    if (gateway != nullptr) {
        session_.print(fmt::format(
            "Deployed models are served at {}/v1{}",
            gateway_url_,
            gateway_status == 200 ? "" : ", not all yet: see " + gateway->log.native()
        ));
    }
    session_.print(fmt::format("The administrator's key lies in {}", key));
    session_.print("In another terminal:");
    session_.print(fmt::format("  export NEXA_API_URL={}/api", url_));
    session_.print(fmt::format("  export NEXA_API_KEY=$(cat {})", key));
}

Time Up::next_event() const {
    Time next = clock_.steady_now() + kPollMax;
    if (stage_ != Stage::kUp) {
        next = std::min(next, next_probe_);
    }
    for (const Kept& kept : kept_) {
        if (!kept.process && (stage_ != Stage::kStarting || &kept == &kept_.front())) {
            next = std::min(next, kept.due);
        }
    }
    return next;
}

bool Up::wait_for_events(Time until) {
    std::vector<pollfd> watched{{.fd = signals_.get(), .events = POLLIN, .revents = 0}};
    for (const Kept& kept : kept_) {
        if (kept.process) {
            watched.push_back({.fd = kept.process->exit_fd(), .events = POLLIN, .revents = 0});
        }
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.steady_now());
    const auto wait = std::clamp(left, 0ms, kPollMax);
    if (::poll(watched.data(), watched.size(), static_cast<int>(wait.count())) <= 0) {
        return false;
    }
    if ((watched.front().revents & POLLIN) == 0) {
        return false;
    }
    signalfd_siginfo info{};
    return ::read(signals_.get(), &info, sizeof(info)) > 0;
}

Result<int> Up::keep_running() {
    while (true) {
        for (Kept& kept : kept_) {
            if (const auto code = look_after(kept)) {
                return *code;
            }
        }
        TRY_STATUS(probe());
        if (wait_for_events(next_event())) {
            session_.note("stopping; once more to kill at once");
            return 0;
        }
    }
}

bool Up::all_ended(std::span<Kept> these) {
    for (Kept& kept : these) {
        if (!kept.process) {
            continue;
        }
        const auto ended = wait_readable(kept.process->exit_fd(), 0ns);
        if (!ended || !*ended) {
            return false;
        }
        kept.process->end_tree();
        kept.process.reset();
    }
    return true;
}

void Up::stop(std::span<Kept> these) {
    for (const Kept& kept : these) {
        if (kept.process) {
            // To the program alone: it ends what is below it in its own way.
            ::kill(kept.process->pid(), SIGTERM);
        }
    }
    const Time deadline = clock_.steady_now() + options_.grace;
    while (!forced_ && !all_ended(these) && clock_.steady_now() < deadline) {
        forced_ = wait_for_events(deadline);
    }
    for (Kept& kept : these) {
        if (kept.process) {
            session_.note(fmt::format("{} did not end in time and is killed", kept.name));
            kept.process->end_tree();
            kept.process.reset();
        }
    }
}

}  // namespace

int ready_status(net::blocking::HttpClient& client, const std::string& root) {
    const auto answer = client.send({
        .url = root + "/readyz",
        .total_time_max = 2s,
        .idle_time_max = 2s,
        .retry = net::RetryWhen::kNever,
    });
    return answer ? answer->status : 0;
}

Result<int> run_up(Session& session, UpOptions options) {
    std::error_code failed;
    options.dir = fs::absolute(options.dir, failed).lexically_normal();
    if (failed) {
        return os_error(failed.value(), "find the folder of --dir");
    }
    return Up(session, std::move(options)).run();
}

}  // namespace nexa::cli
