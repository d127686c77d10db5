// SPDX-License-Identifier: Apache-2.0
#include "worker/engine_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "core/json.h"
#include "worker/event_queue.h"

namespace nexa::worker {

namespace {

constexpr int kEventFd = 3;
constexpr int kTickMilliseconds = 200;
/// Nothing of the job runs when the sandbox says so; its own wait is as good as over.
constexpr std::chrono::seconds kEndTimeMax{30};

Error log_error(const std::filesystem::path& log) {
    return Error::unavailable(
        "cannot make log {}: {}", log.native(), std::generic_category().message(errno)
    );
}

class EngineRun {
public:
    EngineRun(const EngineJob& job, const EngineWatcher& watcher) : job_(job), watcher_(watcher) {}

    Status start(sandbox::Sandbox& sandbox) {
        constexpr mode_t kOwnerOnly = 0600;
        log_.reset(::open(
            job_.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, kOwnerOnly
        ));
        if (!log_) {
            return log_error(job_.log);
        }
        TRY(Pipe pipe, make_pipe());
        if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
            return log_error(job_.log);
        }
        TRY(running_,
            sandbox.start({
                .argv = {job_.engine.native(), "run", job_.folder.native()},
                .environment = job_.environment,
                .work_folder = job_.folder,
                .inputs = job_.inputs,
                .limits = job_.limits,
                .standard_output = StdioFd{log_.get()},
                .standard_error = StdioFd{log_.get()},
                .passed_fds = {{.fd = pipe.write_end.get(), .as = kEventFd}},
            }));
        events_ = std::move(pipe.read_end);
        return {};
    }

    Result<sandbox::Outcome> finish() {
        bool stopping = false;
        while (true) {
            // A negative descriptor is passed over by poll(2).
            std::array<pollfd, 3> watched{{
                {.fd = running_->done_fd(), .events = POLLIN, .revents = 0},
                {.fd = stopping ? -1 : watcher_.stop_fd, .events = POLLIN, .revents = 0},
                {.fd = events_.get(), .events = POLLIN, .revents = 0},
            }};
            static_cast<void>(::poll(watched.data(), watched.size(), kTickMilliseconds));
            stopping = stopping || watched[1].revents != 0;
            if (stopping) {
                stop();
            }
            read_events();
            tick();
            if (watched[0].revents != 0) {
                break;
            }
        }
        auto outcome = running_->wait(std::chrono::steady_clock::now() + kEndTimeMax);
        read_events();
        tick();
        return outcome;
    }

private:
    void stop() {
        const auto now = std::chrono::steady_clock::now();
        const auto grace = watcher_.grace ? watcher_.grace() : std::chrono::milliseconds(0);
        if (!stopped_at_) {
            stopped_at_ = now;
            if (grace > std::chrono::milliseconds(0)) {
                running_->terminate();
            }
        }
        if (now >= *stopped_at_ + grace) {
            running_->kill();
        }
    }

    /// All that is there now, but no more than a pipe holds at once, so that a flood cannot keep us
    /// from the rest.
    void read_events() {
        std::array<char, 65536> room;
        if (!events_) {
            return;
        }
        constexpr int kReadsMax = 16;
        for (int reads = 0; reads < kReadsMax; ++reads) {
            const ssize_t got = ::read(events_.get(), room.data(), room.size());
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0 && errno == EAGAIN) {
                return;
            }
            if (got <= 0) {
                events_.reset();  // the engine has closed it
                return;
            }
            reader_.feed(
                std::string_view(room.data(), static_cast<std::size_t>(got)), watcher_.on_event
            );
        }
    }

    void tick() const {
        struct stat status{};
        if (::fstat(log_.get(), &status) == 0) {
            watcher_.on_tick(status.st_size);
        }
    }

    const EngineJob& job_;
    const EngineWatcher& watcher_;
    UniqueFd log_;
    UniqueFd events_;
    EventReader reader_;
    std::unique_ptr<sandbox::RunningJob> running_;
    std::optional<std::chrono::steady_clock::time_point> stopped_at_;
};

}  // namespace

void EventReader::feed(
    std::string_view bytes, const std::function<void(protocol::EngineEvent)>& on_event
) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view piece = bytes.substr(0, end);
        if (line_.size() + piece.size() > kLineBytesMax) {
            too_long_ = true;
            line_.clear();
        }
        if (!too_long_) {
            line_ += piece;
        }
        if (end == std::string_view::npos) {
            return;
        }
        take_line(on_event);
        bytes.remove_prefix(end + 1);
    }
}

void EventReader::take_line(const std::function<void(protocol::EngineEvent)>& on_event) {
    const std::string line = std::exchange(line_, {});
    if (std::exchange(too_long_, false)) {
        ++bad_lines_;
        return;
    }
    auto event = from_json<protocol::EngineEvent>(line, {.unknown_keys = UnknownKeys::kIgnore});
    if (!event) {
        ++bad_lines_;
        return;
    }
    if (event->message.size() > EventQueue::kMessageBytesMax) {
        std::size_t kept = EventQueue::kMessageBytesMax;
        while (kept > 0 && (static_cast<unsigned char>(event->message[kept]) & 0xC0U) == 0x80U) {
            --kept;
        }
        event->message.resize(kept);
    }
    on_event(*std::move(event));
}

Result<sandbox::Outcome> run_engine(
    sandbox::Sandbox& sandbox, const EngineJob& job, const EngineWatcher& watcher
) {
    EngineRun run(job, watcher);
    TRY_STATUS(run.start(sandbox));
    return run.finish();
}

}  // namespace nexa::worker
