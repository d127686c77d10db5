// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

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
    /// Adds --set and --config.
    explicit SettingFlags(CLI::App& app);
    SettingFlags(const SettingFlags&) = delete;
    SettingFlags& operator=(const SettingFlags&) = delete;

    /// Adds --`name`, which sets `name` with '_' for '-'. Only for what may stand in a list of
    /// processes.
    void add(const std::string& name, const std::string& help);

    /// `base` with what was parsed. Errors: kInvalidArgument (--set without '=').
    Result<SettingsSources> over(SettingsSources base) const;

private:
    CLI::App& app_;
    std::vector<Override> overrides_;
    std::vector<std::string> sets_;
    std::string config_file_;
};

/// The variables that a program finds in `environ`.
std::map<std::string, std::string> environment_of(char** entries);

/// Variables with our prefix that are not settings of servers: clients, tests and secrets have
/// them.
std::vector<std::string> foreign_variables();

}  // namespace nexa::config
