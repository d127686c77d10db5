// SPDX-License-Identifier: Apache-2.0
#include "core/git.h"

#include <algorithm>
#include <optional>

#include "core/child_process.h"

namespace nexa {

namespace {

/// Enough for the header and the first change; how many more there are does not matter.
constexpr std::uint64_t kOutputBytesMax = std::uint64_t{64} * 1024;

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

bool is_hash(std::string_view text) {
    return (text.size() == 40 || text.size() == 64) &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error explain_failure(const std::filesystem::path& folder, const Captured& run) {
    const std::string said = first_line(run.error_output);
    if (said.contains("not a git repository") || said.contains("must be run in a work tree")) {
        return Error::not_found("'{}' is not inside a git working tree", folder.string());
    }
    if (said.contains("dubious ownership")) {
        return Error::permission_denied("git distrusts the owner of '{}'", folder.string())
            .hint("git config --global --add safe.directory <folder>, and pass HOME");
    }
    return Error::unavailable(
        "git status in '{}' ended with {}: {}", folder.string(), run.status.to_string(), said
    );
}

/// Reads `git status --porcelain=v2 --branch`: "# branch.oid HASH", more "# …", then changes.
Result<GitCommit> parse_status(const std::filesystem::path& folder, std::string_view output) {
    constexpr std::string_view kCommitLine = "# branch.oid ";
    std::optional<std::string> hash;
    bool dirty = false;
    while (!output.empty()) {
        const std::string line = first_line(output);
        output.remove_prefix(std::min(line.size() + 1, output.size()));
        if (line.starts_with(kCommitLine)) {
            hash = line.substr(kCommitLine.size());
        } else if (!line.starts_with('#')) {
            dirty = true;
        }
    }
    if (hash == "(initial)") {
        return Error::not_found("the repository of '{}' has no commit yet", folder.string());
    }
    if (!hash || !is_hash(*hash)) {
        return Error::unavailable("git status in '{}' named no commit", folder.string());
    }
    return GitCommit{.hash = *hash, .dirty = dirty};
}

}  // namespace

Result<GitCommit> get_git_commit(const std::filesystem::path& folder, const GitOptions& options) {
    CaptureOptions capture;
    capture.environment = options.environment;
    capture.environment["LC_ALL"] = "C";              // its messages are read
    capture.environment["GIT_OPTIONAL_LOCKS"] = "0";  // looking must not write the index
    capture.environment["GIT_TERMINAL_PROMPT"] = "0";
    capture.working_directory = folder;
    capture.output_bytes_max = kOutputBytesMax;
    capture.timeout = options.timeout;
    // No monitor: it would be a program that the repository names.
    auto run = run_and_capture(
        {"git",
         "-c",
         "core.fsmonitor=false",
         "status",
         "--porcelain=v2",
         "--branch",
         "--untracked-files=no"},
        capture
    );
    if (!run) {
        if (run.error().message.starts_with("no program")) {
            return Error::unavailable("cannot ask for the commit: {}", run.error().message)
                .hint("install git");
        }
        return std::move(run).error().while_doing("ask git for the commit");
    }
    if (!run->status.success()) {
        return explain_failure(folder, *run);
    }
    return parse_status(folder, run->output);
}

}  // namespace nexa
