// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/program.h"
#include "core/file.h"
#include "core/random.h"

namespace nexa::cli {

/// A world of its own for a command line in a test: streams in memory, a home that is gone at the
/// end.
class CliWorld {
public:
    int run(const std::vector<std::string>& arguments, const std::string& input = "") {
        in.str(input);
        in.clear();
        out.str("");
        err.str("");
        return cli::run(arguments, context);
    }

    TemporaryDirectory home =
        *TemporaryDirectory::create(std::filesystem::temp_directory_path(), "nexa-cli-");
    SystemClock clock;
    SystemRandom random;
    SystemSleeper sleeper{CancelToken()};
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    CliContext context{
        .environment = {{"HOME", home.path().native()}, {"PATH", "/usr/bin:/bin"}},
        .in = in,
        .out = out,
        .err = err,
        .clock = clock,
        .random = random,
        .sleeper = sleeper,
        .program_directory = home.path() / "bin",
        .version = "1.2.3",
        .commit = "",
        .watch_signals = [] { return Result<UniqueFd>(Error::internal("no signals here")); },
        .ask_secret =
            [](const std::string&) {
                return Result<Secret>(Error::internal("nobody is asked here"));
            },
    };
};

}  // namespace nexa::cli
