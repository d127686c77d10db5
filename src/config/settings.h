// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/setting_list.h"
#include "core/result.h"
#include "core/type_info.h"

namespace nexa::config {

inline constexpr std::string_view kProjectFileName = "nexa.yaml";
inline constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;

/// One setting given on the command line.
struct Override {
    std::string path;   ///< "db.url"
    std::string value;  ///< as a word; for lists and objects as YAML ("[a, b]")
    std::string flag = "--set";
};

/// Reads "db.url=postgres://…". Errors: kInvalidArgument.
Result<Override> parse_override(std::string_view text);

/// Everything that settings are taken from. Nothing else is looked at.
struct SettingsSources {
    std::vector<Override> flags{};  ///< the last one of a path wins
    std::map<std::string, std::string> environment{
    };  ///< the whole of it; empty values count as unset
    /// The project's file, which must then exist. Without it, the nearest kProjectFileName in
    /// `start_folder` or a folder above it, if there is one.
    std::optional<std::filesystem::path> file{};
    std::filesystem::path start_folder{};  ///< absolute; empty: do not look for a project's file
    std::filesystem::path user_file{};     ///< may not exist; empty: none
    std::string prefix{kEnvironmentPrefix};
    /// Variables with our prefix that mean something to others.
    std::vector<std::string> other_variables{};
};

/// Where the value of one setting came from.
struct SettingOrigin {
    std::string path;
    std::string value;   ///< as text; "[secret]" for a secret that is set
    std::string origin;  ///< "--set", "env NEXA_DB__URL", "nexa.yaml:12", "default"
};

template <class T>
struct Settings {
    T value{};
    std::vector<SettingOrigin> origins{};  ///< every setting, in the order of the fields
    /// Sentences about variables that begin like ours and are no setting.
    std::vector<std::string> warnings{};
};

/// The origin of one setting, or nullptr.
const SettingOrigin* find_origin(const std::vector<SettingOrigin>& origins, std::string_view path);

namespace internal {
struct Loaded {
    std::vector<SettingOrigin> origins;
    std::vector<std::string> warnings;
};
Result<Loaded> load(
    const SettingsSources& sources, const TypeInfo& type, void* out, std::vector<Error>* all_errors
);
}  // namespace internal

/// Reads and merges the layers: flag > environment > project's file > user's file > default.
/// Objects merge key by key, all else is replaced whole. Blocks on the disk.
///
/// Errors: kMalformed (a file is no YAML), kInvalidArgument (unknown key, wrong value, missing
/// setting; `param` is "nexa.yaml:12: db.url" or "env NEXA_DB__URL: db.url", the hint names the
/// nearest key), kNotFound (a named file is not there), kPermissionDenied (a file with a secret
/// that everyone may read). `all_errors` gets all that is wrong with the values (at most 11).
template <class T>
Result<Settings<T>> load_settings(
    const SettingsSources& sources, std::vector<Error>* all_errors = nullptr
) {
    Settings<T> settings;
    auto loaded = internal::load(sources, type_info<T>(), &settings.value, all_errors);
    if (!loaded) {
        return std::move(loaded).error();
    }
    settings.origins = std::move(loaded->origins);
    settings.warnings = std::move(loaded->warnings);
    return settings;
}

}  // namespace nexa::config
