// SPDX-License-Identifier: Apache-2.0
#include "config/setting_flags.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace nexa::config {

namespace {

/// Variables with our prefix that are not settings of servers: clients, tests and secrets have
/// them.
std::vector<std::string> foreign_variables() {
    return {
        "NEXA_API_KEY",
        "NEXA_API_KEY_FILE",
        "NEXA_API_URL",
        "NEXA_BUILD",
        "NEXA_TEST_DATA",
        "NEXA_TEST_PARTS",
    };
}

}  // namespace

SettingFlags::SettingFlags(CLI::App& app) : app_(app) {
    app.add_option("--set", sets_, "Any other setting, as name=value");
    app.add_option(
        "--config", config_file_, "Settings file; the flags go before what stands in it"
    );
    app.add_flag(
        "--print-settings", prints_reference_, "Print every setting, as Markdown, and exit"
    );
}

void SettingFlags::add(const std::string& name, const std::string& help) {
    std::string path = name;
    std::ranges::replace(path, '-', '_');
    app_.add_option_function<std::string>(
        "--" + name,
        [this, name, path](const std::string& value) {
            overrides_.push_back({.path = path, .value = value, .flag = "--" + name});
        },
        help
    );
}

Result<SettingsSources> SettingFlags::over(SettingsSources base) const {
    base.flags = overrides_;
    for (const std::string& text : sets_) {
        TRY(Override parsed, parse_override(text));
        base.flags.push_back(std::move(parsed));
    }
    if (!config_file_.empty()) {
        base.file = config_file_;
    }
    const std::vector<std::string> others = foreign_variables();
    base.other_variables.insert(base.other_variables.end(), others.begin(), others.end());
    return base;
}

void SettingFlags::print(const std::string& page) {
    std::fputs(page.c_str(), stdout);
}

void SettingFlags::warn(std::string_view program, const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) {
        std::fputs(fmt::format("{}: {}\n", program, warning).c_str(), stderr);
    }
}

std::map<std::string, std::string> environment_of(char** entries) {
    std::map<std::string, std::string> variables;
    for (char** entry = entries; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string::npos) {
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return variables;
}

}  // namespace nexa::config
