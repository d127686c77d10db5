// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/child_process.h"
#include "core/file.h"
#include "core/result.h"

namespace nexa::gateway {

struct RunnerCommand {
    std::filesystem::path engine;        ///< the program nexa-engine
    std::filesystem::path model_folder;  ///< absolute
    std::filesystem::path run_folder;    ///< where its socket and its log lie; exists
    std::string name;                    ///< of both: unique in that folder
};

/// A child `nexa-engine serve`. Its stdin is a pipe that ends with us. One thread at a time.
class RunnerProcess {
public:
    /// Blocks until the program runs, not until it serves. Errors: those of ChildProcess::start().
    static Result<std::unique_ptr<RunnerProcess>> start(const RunnerCommand& command);

    /// Where it will listen: a path short enough for a socket, wherever the folder lies.
    std::filesystem::path socket() const;
    /// Never blocks.
    bool has_ended() const;

    struct End {
        std::optional<ExitStatus> status;  ///< nothing: it could not be learned
        std::string last_words;            ///< the end of what it wrote, or ""
    };
    /// Asks it to end, kills it after `grace`, and clears away what it left. Blocks.
    End end(std::chrono::milliseconds grace);

private:
    RunnerProcess(const RunnerCommand& command, UniqueFd folder, ChildProcess child);

    std::string name_;
    std::filesystem::path log_;
    UniqueFd folder_;
    ChildProcess child_;
    UniqueFd standard_input_;
};

}  // namespace nexa::gateway
