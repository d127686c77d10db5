// SPDX-License-Identifier: Apache-2.0
#include "gateway/usage_sender.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "core/os_error.h"
#include "core/retry.h"
#include "gateway/line_file.h"

namespace nexa::gateway {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = std::size_t{256} << 10U;

/// Usage waits for its control plane however long that takes.
constexpr RetryPolicy kSendPolicy{
    .attempts = 1'000'000'000,
    .base = std::chrono::milliseconds(500),
    .cap = std::chrono::seconds(30),
    .total_max = std::chrono::hours(24 * 365),
    .retries = [](ErrorCode) { return true; },
};

/// Some whole lines of a file.
struct Part {
    std::vector<UsageLine> lines;
    std::uint64_t end = 0;
    std::string unreadable;  ///< those among them that are no usage
};

bool is_final(ErrorCode code) {
    return code == ErrorCode::kInvalidArgument;
}

/// Up to a request's worth of lines from `begin` on; at the file's end `end` is `begin`.
Result<Part> read_part(const fs::path& path, std::uint64_t begin) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return os_error(errno, fmt::format("open {}", path.native()));
    }
    std::string room(kReadBytes, '\0');
    const ssize_t got = ::pread(file.get(), room.data(), room.size(), static_cast<off_t>(begin));
    if (got < 0) {
        return os_error(errno, fmt::format("read {}", path.native()));
    }
    std::string_view left(room.data(), static_cast<std::size_t>(got));
    Part part{.end = begin};
    while (part.lines.size() < protocol::GatewayUsage::kLinesMax) {
        const std::size_t end = left.find('\n');
        if (end == std::string_view::npos) {
            break;  // the spool keeps whole lines, far shorter than what was read
        }
        auto line = from_json<UsageLine>(left.substr(0, end));
        if (line) {
            part.lines.push_back(*std::move(line));
        } else {
            part.unreadable += left.substr(0, end + 1);
        }
        part.end += end + 1;
        left.remove_prefix(end + 1);
    }
    return part;
}

}  // namespace

net::Task<void> UsageSender::put_by(std::string lines, std::string why) {
    const fs::path path = with_.spool.refused_path();
    log_.error("usage that is not taken", {{"file", path.native()}, {"error", why}});
    co_return co_await net::run_on(with_.disk, [path, lines = std::move(lines)]() -> Status {
        TRY(LineFile file, LineFile::open(path, TornEnd::kEnded));
        return file.append(lines);
    });
}

net::Task<void> UsageSender::send_part(std::vector<UsageLine> lines) {
    const Status sent = co_await send_until_taken(lines);
    if (sent || !is_final(sent.error().code)) {
        co_return sent;
    }
    for (const UsageLine& line : lines) {
        const Status alone = co_await send_until_taken({line});
        if (!alone && !is_final(alone.error().code)) {
            co_return alone;
        }
        if (!alone) {
            CO_TRY_STATUS(co_await put_by(to_json(line) + "\n", alone.error().to_string()));
        }
    }
    co_return ok();
}

net::Task<void> UsageSender::send_until_taken(std::vector<UsageLine> lines) {
    Backoff backoff(kSendPolicy, with_.random, with_.clock.steady_now());
    while (true) {
        const Status sent = co_await with_.send(lines);
        if (sent || sent.error().code == ErrorCode::kCancelled || is_final(sent.error().code)) {
            co_return sent;
        }
        if (backoff.failures() == 0) {
            log_.warning("cannot send usage; it is kept", {{"error", sent.error().to_string()}});
        }
        const auto pause = backoff.next_delay(sent.error().code, with_.clock.steady_now());
        CO_TRY_STATUS(co_await net::sleep_for(pause.value_or(kSendPolicy.cap)));
    }
}

net::Task<void> UsageSender::send_file(fs::path path) {
    while (true) {
        CO_TRY(Part part, co_await net::run_on(with_.disk, [path, begin = sent_] {
                   return read_part(path, begin);
               }));
        if (part.end == sent_) {
            break;
        }
        if (!part.unreadable.empty()) {
            CO_TRY_STATUS(co_await put_by(std::move(part.unreadable), "it cannot be read"));
        }
        if (!part.lines.empty()) {
            CO_TRY_STATUS(co_await send_part(std::move(part.lines)));
        }
        sent_ = part.end;
    }
    CO_TRY_STATUS(co_await net::run_on(with_.disk, [path] { return remove_tree(path); }));
    sent_ = 0;
    co_return ok();
}

net::Task<void> UsageSender::run() {
    while (true) {
        Result<bool> is_there = co_await with_.spool.set_aside();
        Status sent = is_there ? ok() : Status(is_there.error());
        if (is_there && *is_there) {
            sent = co_await send_file(with_.spool.sending_path());
        }
        if (!sent) {
            if (sent.error().code == ErrorCode::kCancelled) {
                co_return sent;
            }
            log_.warning("cannot send usage; it is kept", {{"error", sent.error().to_string()}});
        }
        CO_TRY_STATUS(co_await net::sleep_for(every_));
    }
}

}  // namespace nexa::gateway
