// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>

#include "cli/local_port.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/random.h"
#include "core/result.h"
#include "core/secrets.h"

namespace nexa::cli {

/// Everything of the world that a command may touch: the program's own main() fills it, tests fill
/// it with their own. All that it refers to outlives the command.
struct CliContext {
    std::map<std::string, std::string> environment;
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_is_terminal = false;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    std::size_t columns = 80;  ///< of the terminal
    const Clock& clock;
    Random& random;
    Sleeper& sleeper;
    std::filesystem::path program_directory;  ///< where nexad and the others lie
    std::string version;
    std::string commit;
    /// Blocks SIGTERM, SIGINT and SIGHUP and gives a descriptor from which each that comes is read,
    /// as signalfd(2) does. Only `up` asks.
    std::function<Result<UniqueFd>()> watch_signals;
    /// Asks at the terminal without echo. Only called if in_is_terminal.
    std::function<Result<Secret>(const std::string& prompt)> ask_secret;
    std::function<bool(std::uint16_t port)> is_port_free = &cli::is_port_free;

    /// The variable's value; "" if it is not set.
    std::string variable(const std::string& name) const;
    /// True if escapes may be written to a stream that is or is not a terminal: NO_COLOR and
    /// TERM=dumb forbid them.
    bool may_color(bool is_terminal) const;
};

}  // namespace nexa::cli
