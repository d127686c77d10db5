// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/os_error.h"

namespace nexa::gateway {

namespace {

constexpr std::uint64_t kLogBytesMax = std::uint64_t{64} << 20U;
constexpr std::size_t kLastWordsBytes = 2'000;

std::string last_words_in(const std::filesystem::path& log) {
    auto text = read_file(log, kLogBytesMax);
    if (!text) {
        return {};
    }
    while (text->ends_with('\n')) {
        text->pop_back();
    }
    return text->substr(text->size() - std::min(text->size(), kLastWordsBytes));
}

}  // namespace

Result<std::unique_ptr<RunnerProcess>> RunnerProcess::start(const RunnerCommand& command) {
    UniqueFd folder(::open(command.run_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return os_error(errno, fmt::format("open {}", command.run_folder.native()));
    }
    const std::filesystem::path log = command.run_folder / (command.name + ".log");
    // Relative, since the path of a socket may have 107 bytes at most.
    const ChildSpec spec{
        .argv =
            {command.engine.native(),
             "serve",
             command.model_folder.native(),
             "--socket",
             command.name + ".sock"},
        .environment = {},
        .working_directory = command.run_folder,
        .standard_input = StdioPipe{},
        // Both append, or each would write over what the other wrote.
        .standard_output = StdioFile{.path = log, .append = true},
        .standard_error = StdioFile{.path = log, .append = true},
    };
    Result<ChildProcess> child = ChildProcess::start(spec);
    if (!child) {
        std::error_code ignored;
        std::filesystem::remove(log, ignored);
        return std::move(child).error();
    }
    return std::unique_ptr<RunnerProcess>(
        new RunnerProcess(command, std::move(folder), *std::move(child))
    );
}

RunnerProcess::RunnerProcess(const RunnerCommand& command, UniqueFd folder, ChildProcess child)
    : name_(command.name),
      log_(command.run_folder / (command.name + ".log")),
      folder_(std::move(folder)),
      child_(std::move(child)),
      standard_input_(child_.take_stdin()) {}

std::filesystem::path RunnerProcess::socket() const {
    return fmt::format("/proc/self/fd/{}/{}.sock", folder_.get(), name_);
}

bool RunnerProcess::has_ended() const {
    const auto ended = wait_readable(child_.exit_fd(), std::chrono::nanoseconds(0));
    return ended && *ended;
}

RunnerProcess::End RunnerProcess::end(std::chrono::milliseconds grace) {
    End end;
    if (const auto status = child_.terminate(grace)) {
        end.status = *status;
    }
    child_.end_tree();
    end.last_words = last_words_in(log_);
    std::error_code ignored;
    std::filesystem::remove(socket(), ignored);
    std::filesystem::remove(log_, ignored);
    return end;
}

}  // namespace nexa::gateway
