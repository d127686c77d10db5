// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/type_info.h"

namespace nexa::config {

inline constexpr std::string_view kEnvironmentPrefix = "NEXA_";

/// One setting: a field that holds no further settings. For flags, variables and the reference
/// page.
struct SettingRow {
    std::string path;      ///< "db.url"; entries of a map: "labels.<name>"
    std::string variable;  ///< "NEXA_DB__URL"
    std::string type;      ///< "integer", "number of s", "list of string", "one of a, b"
    std::string initial;   ///< default as text; empty if it has none, is empty or a secret
    std::string range;     ///< "1 to 1000", "at most 8 entries"; empty if there is none
    std::string help;
    bool is_required = false;
    bool is_secret = false;
};

/// All settings of a struct, in the order of its fields.
std::vector<SettingRow> list_settings(
    const TypeInfo& type, std::string_view prefix = kEnvironmentPrefix
);

/// "db.url" is "NEXA_DB__URL".
std::string variable_of(std::string_view path, std::string_view prefix = kEnvironmentPrefix);

/// A value as a person writes it: words without quotes, the rest as JSON. Secrets in it are masked.
std::string setting_text(const void* value, const TypeInfo& type, const FieldRules& rules);

/// The reference of a struct's settings: a table in Markdown.
std::string settings_reference(const TypeInfo& type, std::string_view prefix = kEnvironmentPrefix);

template <class T>
std::string settings_reference() {
    return settings_reference(type_info<T>());
}

}  // namespace nexa::config
