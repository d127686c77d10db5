// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/setting_list.h"
#include "config/settings.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace nexa::config {

/// The settings of a program as its command line gives them: some as flags of their own, any by
/// --set, and the file by --config. Lives as long as the parser it has added them to.
class SettingFlags {
public:
    /// Adds --set, --config and --print-settings.
    explicit SettingFlags(CLI::App& app);
    SettingFlags(const SettingFlags&) = delete;
    SettingFlags& operator=(const SettingFlags&) = delete;

    /// Adds --`name`, which sets `name` with '_' for '-'. Only for what may stand in a list of
    /// processes.
    void add(const std::string& name, const std::string& help);

    /// Prints the reference of the settings, if that was asked for: then there is nothing else to
    /// do.
    template <class T>
    bool printed_reference() const {
        if (prints_reference_) {
            print(settings_reference<T>());
        }
        return prints_reference_;
    }

    /// The settings that come of `base` with what was parsed. Warnings go to stderr, as
    /// `program`'s. Errors: those of load_settings(); kInvalidArgument (--set without '=').
    template <class T>
    Result<Settings<T>> load(std::string_view program, SettingsSources base) const {
        const auto sources = over(std::move(base));
        if (!sources) {
            return sources.error();
        }
        auto loaded = load_settings<T>(*sources);
        if (loaded) {
            warn(program, loaded->warnings);
        }
        return loaded;
    }

private:
    Result<SettingsSources> over(SettingsSources base) const;
    static void print(const std::string& page);
    static void warn(std::string_view program, const std::vector<std::string>& warnings);

    CLI::App& app_;
    std::vector<Override> overrides_;
    std::vector<std::string> sets_;
    std::string config_file_;
    bool prints_reference_ = false;
};

/// The variables that a program finds in `environ`.
std::map<std::string, std::string> environment_of(char** entries);

}  // namespace nexa::config
