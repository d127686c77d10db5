// SPDX-License-Identifier: Apache-2.0
#include "core/child_spec_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "core/os_error.h"

namespace nexa::internal {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultSearchPath = "/usr/local/bin:/usr/bin:/bin";
constexpr std::uint64_t kCpuSecondsToReact = 2;

Status check_text(std::string_view text, std::string_view what) {
    if (text.find('\0') != std::string_view::npos) {
        return Error::invalid_argument("{} holds a NUL byte", what);
    }
    return {};
}

Result<PreparedStream> prepare_stream(const Stdio& stdio, int number) {
    PreparedStream stream;
    const bool is_input = number == STDIN_FILENO;
    if (std::holds_alternative<StdioInherit>(stdio)) {
        stream.source = number;
    } else if (const auto* given = std::get_if<StdioFd>(&stdio)) {
        stream.source = given->fd;
    } else if (std::holds_alternative<StdioPipe>(stdio)) {
        TRY(Pipe pipe, make_pipe());
        stream.held = std::move(is_input ? pipe.read_end : pipe.write_end);
        stream.ours = std::move(is_input ? pipe.write_end : pipe.read_end);
    } else {
        const auto* file = std::get_if<StdioFile>(&stdio);
        const fs::path path = file == nullptr ? fs::path("/dev/null") : file->path;
        const int flags = is_input ? O_RDONLY
                          : file == nullptr
                              ? O_WRONLY
                              : O_WRONLY | O_CREAT | (file->append ? O_APPEND : O_TRUNC);
        stream.held.reset(open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600));
        if (!stream.held) {
            return os_error(
                errno,
                fmt::format(
                    "open '{}' as standard {}", path.string(), is_input ? "input" : "output"
                )
            );
        }
    }
    if (stream.held) {
        stream.source = stream.held.get();
    }
    if (fcntl(stream.source, F_GETFD) < 0) {
        return Error::invalid_argument(
            "descriptor {} for standard stream {} is not open", stream.source, number
        );
    }
    return stream;
}

}  // namespace

Status check_spec(const ChildSpec& spec) {
    if (spec.argv.empty() || spec.argv[0].empty()) {
        return Error::invalid_argument("no program to start").at("argv");
    }
    for (std::size_t i = 0; i < spec.argv.size(); ++i) {
        TRY_STATUS(check_text(spec.argv[i], fmt::format("argument {} of '{}'", i, spec.argv[0])));
    }
    for (const auto& [name, value] : spec.environment) {
        TRY_STATUS(check_text(name, "an environment variable's name"));
        TRY_STATUS(check_text(value, fmt::format("environment variable '{}'", name)));
        if (name.empty() || name.find('=') != std::string::npos) {
            return Error::invalid_argument("'{}' cannot name an environment variable", name);
        }
    }
    std::set<int> targets;
    for (const PassedFd& passed : spec.passed_fds) {
        if (passed.as < 3 || !targets.insert(passed.as).second) {
            return Error::invalid_argument(
                "descriptor {} cannot be passed as {}: 3 or more, each once", passed.fd, passed.as
            );
        }
        if (fcntl(passed.fd, F_GETFD) < 0) {
            return Error::invalid_argument("descriptor {} to be passed is not open", passed.fd);
        }
    }
    return {};
}

Result<std::string> find_program(const ChildSpec& spec) {
    const std::string& name = spec.argv[0];
    if (name.find('/') != std::string::npos) {
        return name;
    }
    const auto variable = spec.environment.find("PATH");
    const std::string_view path =
        variable == spec.environment.end() ? kDefaultSearchPath : variable->second;
    std::string refused;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find(':', at), path.size());
        const fs::path candidate = fs::path(path.substr(at, end - at)) / name;
        at = end + 1;
        std::error_code error;
        if (!candidate.is_absolute() || !fs::is_regular_file(candidate, error)) {
            continue;
        }
        if (access(candidate.c_str(), X_OK) == 0) {
            return candidate.string();
        }
        refused = candidate.string();
    }
    if (!refused.empty()) {
        return Error::permission_denied("cannot start '{}': it is not executable", refused);
    }
    return Error::not_found("no program '{}' in {}", name, path);
}

Result<UniqueFd> open_working_directory(const ChildSpec& spec) {
    const fs::path& path = spec.working_directory;
    if (path.empty()) {
        return UniqueFd();
    }
    UniqueFd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return os_error(errno, fmt::format("enter working directory '{}'", path.string()));
    }
    return fd;
}

Result<Streams> prepare_streams(const ChildSpec& spec) {
    Streams streams;
    const std::array wanted{&spec.standard_input, &spec.standard_output, &spec.standard_error};
    for (int number = 0; number < 3; ++number) {
        const auto index = static_cast<std::size_t>(number);
        TRY(streams.prepared[index], prepare_stream(*wanted[index], number));
        streams.moves.push_back({streams.prepared[index].source, number, -1});
    }
    for (const PassedFd& passed : spec.passed_fds) {
        streams.moves.push_back({passed.fd, passed.as, -1});
    }
    return streams;
}

std::vector<LimitRow> limit_rows(const ResourceLimits& limits) {
    std::vector<LimitRow> rows;
    const auto add = [&rows](int resource, std::optional<std::uint64_t> value, rlim_t slack = 0) {
        if (value) {
            rows.push_back({resource, {.rlim_cur = *value, .rlim_max = *value + slack}});
        }
    };
    add(RLIMIT_AS, limits.address_space_bytes);
    add(RLIMIT_CPU, limits.cpu_seconds, kCpuSecondsToReact);
    add(RLIMIT_FSIZE, limits.file_bytes);
    add(RLIMIT_NOFILE, limits.open_files);
    if (!limits.core_dumps) {
        add(RLIMIT_CORE, 0);
    }
    return rows;
}

}  // namespace nexa::internal
