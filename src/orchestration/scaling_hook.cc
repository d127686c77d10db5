// SPDX-License-Identifier: Apache-2.0
#include "orchestration/scaling_hook.h"

#include <fmt/format.h>

#include "core/child_process.h"
#include "core/file.h"
#include "core/trim.h"
#include "core/utf8.h"
#include "crypto/base64.h"
#include "crypto/hmac.h"

namespace nexa::orchestration {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kOutputBytesMax = 1 << 20;
constexpr unsigned kOwnerOnly = 0600;

std::string last_line(std::string_view text) {
    constexpr std::size_t kLineMax = 200;
    const std::string_view said = trimmed(text);
    const std::size_t end = said.rfind('\n');
    return quotable(said.substr(end == std::string_view::npos ? 0 : end + 1), kLineMax);
}

/// How it ended, or the error that it was ended for.
Result<ExitStatus> wait_for_end(
    ChildProcess& child, milliseconds time_max, const std::atomic<bool>& stopped
) {
    constexpr milliseconds kLook{100};
    constexpr milliseconds kGrace{2'000};
    const auto deadline = std::chrono::steady_clock::now() + time_max;
    while (true) {
        auto ended = child.wait(std::chrono::steady_clock::now() + kLook);
        if (ended || ended.error().code != ErrorCode::kDeadlineExceeded) {
            return ended;
        }
        const bool is_late = std::chrono::steady_clock::now() >= deadline;
        if (is_late || stopped) {
            TRY_STATUS(child.terminate(kGrace));
            return is_late
                       ? Error::deadline_exceeded("it did not end within {} ms", time_max.count())
                       : Error::cancelled("the server stops");
        }
    }
}

}  // namespace

Result<std::string> blocking::run_hook(
    const HookCommand& command, std::string_view input, const std::atomic<bool>& stopped
) {
    TRY(const auto folder, TemporaryDirectory::create(command.folder));
    const auto request = folder.path() / "request.json";
    const auto output = folder.path() / "output";
    TRY_STATUS(write_file_atomically(request, input, kOwnerOnly));
    TRY(ChildProcess child,
        ChildProcess::start({
            .argv = command.argv,
            .environment = command.environment,
            .working_directory = {},
            .standard_input = StdioFile{.path = request},
            .standard_output = StdioFile{.path = output, .append = true},
            .standard_error = StdioFile{.path = output, .append = true},
            .passed_fds = {},
            .limits = {},
            .before_exec = {},
        }));
    TRY(const ExitStatus ended, wait_for_end(child, command.time_max, stopped));
    auto said = read_file(output, kOutputBytesMax);
    std::string text = said ? *std::move(said) : "(" + said.error().message + ")";
    if (!ended.success()) {
        return Error::unavailable("it ended with {}: {}", ended.to_string(), last_line(text));
    }
    return text;
}

std::string webhook_signature(
    std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view body
) {
    constexpr std::string_view kPrefix = "whsec_";
    std::string key(secret);
    if (secret.starts_with(kPrefix)) {
        if (auto bytes = crypto::from_base64(secret.substr(kPrefix.size()))) {
            key = *std::move(bytes);
        }
    }
    const std::string said = fmt::format("{}.{}.{}", id, timestamp, body);
    return "v1," + crypto::to_base64(crypto::hmac_sha256(key, said));
}

}  // namespace nexa::orchestration
