// SPDX-License-Identifier: Apache-2.0
#include "cli/server_program.h"

#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "core/child_process.h"

namespace nexa::cli {

void add_server_settings(CLI::App& command, ServerSettings& settings) {
    command.add_option(
        "--config", settings.file, "Settings file (default: nexa.yaml, if there is one)"
    );
    command.add_option("--set", settings.sets, "As a flag of the server")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
}

Result<std::string> ask_server_program(
    const CliContext& context,
    const std::vector<std::string>& flags,
    const ServerSettings& settings,
    std::chrono::milliseconds time_max
) {
    std::vector<std::string> argv{(context.program_directory / "nexad").native()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    if (!settings.file.empty()) {
        argv.insert(argv.end(), {"--config", settings.file});
    }
    for (const std::string& assignment : settings.sets) {
        argv.insert(argv.end(), {"--set", assignment});
    }
    TRY(Captured said,
        run_and_capture(argv, {.environment = context.environment, .timeout = time_max}));
    if (!said.status.success()) {
        constexpr std::string_view kPrefix = "nexad: ";
        std::string_view words = said.error_output;
        words.remove_prefix(words.starts_with(kPrefix) ? kPrefix.size() : 0);
        return Error::invalid_argument("{}", words.substr(0, words.find_last_not_of('\n') + 1));
    }
    return std::move(said.output);
}

}  // namespace nexa::cli
