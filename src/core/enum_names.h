// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include "core/error_code.h"

namespace nexa {

/// One row of an enum's table of names, as they stand in JSON, in settings and in the database.
template <class E>
struct EnumName {
    E value;
    std::string_view name;
};

/// An enum that has its table, found by its namespace. Every enumerator has a row:
///
///     enum class Role : std::uint8_t { kViewer, kEditor };
///     constexpr auto enum_names(Role) {
///         return std::to_array<EnumName<Role>>({{Role::kViewer, "viewer"}, {Role::kEditor,
///         "editor"}});
///     }
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) { enum_names(e).size(); };

constexpr auto enum_names(ErrorCode) {
    std::array<EnumName<ErrorCode>, kErrorCodes.size()> names{};
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = {kErrorCodes[i].code, kErrorCodes[i].name};
    }
    return names;
}

/// Empty for a value that is in no row.
template <NamedEnum E>
constexpr std::string_view enum_text(E value) {
    for (const auto& row : enum_names(E{})) {
        if (row.value == value) {
            return row.name;
        }
    }
    return {};
}

template <NamedEnum E>
constexpr std::optional<E> enum_from_text(std::string_view name) {
    for (const auto& row : enum_names(E{})) {
        if (row.name == name) {
            return row.value;
        }
    }
    return std::nullopt;
}

}  // namespace nexa
