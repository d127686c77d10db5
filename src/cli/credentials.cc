// SPDX-License-Identifier: Apache-2.0
#include "cli/credentials.h"

#include <sys/stat.h>

#include <cerrno>

#include "core/file.h"
#include "core/os_error.h"
#include "core/trim.h"

namespace nexa::cli {

namespace {

constexpr std::uint64_t kKeyFileBytesMax = 4096;
constexpr unsigned kKeyMode = 0600;
constexpr unsigned kOthers = 0077;

Result<Secret> read_key_file(const std::filesystem::path& path) {
    TRY(const std::string text, read_file(path, kKeyFileBytesMax));
    const std::string_view key = trimmed(text);
    if (key.empty() || key.find_first_of(" \t\r\n") != std::string_view::npos) {
        return Error::malformed("the credentials file {} holds no API key", path.native())
            .hint("run 'nexa login' to write it anew");
    }
    return Secret(key);
}

}  // namespace

Result<std::filesystem::path> credentials_path(const CliContext& context) {
    // The base directory specification has relative paths ignored.
    const std::filesystem::path config = context.variable("XDG_CONFIG_HOME");
    if (config.is_absolute()) {
        return config / "nexa/credentials";
    }
    const std::filesystem::path home = context.variable("HOME");
    if (home.is_absolute()) {
        return home / ".config/nexa/credentials";
    }
    return Error::invalid_argument("cannot tell where the credentials file is: HOME is not set")
        .hint("set HOME or XDG_CONFIG_HOME, or give the key in NEXA_API_KEY");
}

Status store_key(const std::filesystem::path& path, std::string_view key) {
    const std::filesystem::path folder = path.parent_path();
    TRY_STATUS(make_folders(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return os_error(errno, fmt::format("make the folder {}", folder.native()));
    }
    return write_file_atomically(path, std::string(key) + "\n", kKeyMode);
}

Result<std::optional<FoundKey>> find_key(const CliContext& context) {
    const std::string from_environment = context.variable("NEXA_API_KEY");
    if (const auto key = trimmed(from_environment); !key.empty()) {
        return FoundKey{.key = Secret(key), .origin = "NEXA_API_KEY"};
    }
    const auto path = credentials_path(context);
    if (!path) {
        return std::nullopt;
    }
    struct stat info{};
    if (::stat(path->c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        return os_error(errno, fmt::format("read the credentials file {}", path->native()));
    }
    if ((info.st_mode & kOthers) != 0) {
        return Error::permission_denied("others may read the credentials file {}", path->native())
            .hint(fmt::format("chmod 600 {}", path->native()));
    }
    TRY(Secret key, read_key_file(*path));
    return FoundKey{.key = std::move(key), .origin = path->native()};
}

}  // namespace nexa::cli
