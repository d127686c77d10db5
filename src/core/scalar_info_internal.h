// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>

#include "core/enum_names.h"
#include "core/json_text.h"
#include "core/text_form.h"
#include "core/type_info.h"

/// The part of core/json_codec.h that describes scalars.
namespace nexa::internal {

template <class T>
struct InfoOf;

template <class T>
const TypeInfo* info_of() {
    return &InfoOf<T>::kInfo;
}

template <class T>
const T& as(const void* value) {
    return *static_cast<const T*>(value);
}
template <class T>
T& as(void* value) {
    return *static_cast<T*>(value);
}

/// A scalar and, for Strong, what it wraps.
template <class T>
struct Wrapping {
    using Inner = T;
    static const T& get(const T& value) { return value; }
    static const T& get(const T&&) = delete;
    static void set(T& value, T inner) { value = std::move(inner); }
};
template <class V, class Tag>
struct Wrapping<Strong<V, Tag>> {
    using Inner = V;
    static const V& get(const Strong<V, Tag>& value) { return value.value(); }
    static void set(Strong<V, Tag>& value, V inner) { value = Strong<V, Tag>(std::move(inner)); }
};

template <class T, class Inner = typename Wrapping<T>::Inner>
constexpr TypeInfo integer_info() {
    return {
        .kind = std::same_as<Inner, bool> ? TypeKind::kBool : TypeKind::kInteger,
        .whole = [](const void* value) -> WideInt { return Wrapping<T>::get(as<T>(value)); },
        .set_whole = [](void* value, WideInt whole
                     ) { Wrapping<T>::set(as<T>(value), static_cast<Inner>(whole)); },
        .least = std::numeric_limits<Inner>::min(),
        .greatest = std::numeric_limits<Inner>::max(),
    };
}

template <class T, class Inner = typename Wrapping<T>::Inner>
constexpr TypeInfo real_info() {
    static_assert(sizeof(Inner) <= sizeof(double));
    return {
        .kind = TypeKind::kReal,
        .real = [](const void* value) -> double { return Wrapping<T>::get(as<T>(value)); },
        .set_real = [](void* value,
                       double real) { Wrapping<T>::set(as<T>(value), static_cast<Inner>(real)); },
        .is_float = sizeof(Inner) == sizeof(float),
    };
}

template <class T>
constexpr TypeInfo string_info() {
    return {
        .kind = TypeKind::kString,
        .text = [](const void* value) -> std::string { return Wrapping<T>::get(as<T>(value)); },
        .set_text = [](void* value, std::string_view text) -> Status {
            Wrapping<T>::set(as<T>(value), std::string(text));
            return {};
        },
    };
}

template <class T>
constexpr TypeInfo json_text_info() {
    return {
        .kind = TypeKind::kJson,
        .text = [](const void* value) { return as<T>(value).text; },
        .set_text = [](void* value, std::string_view text) -> Status {
            as<T>(value).text = text;
            return {};
        },
    };
}

template <class T>
constexpr TypeInfo duration_info() {
    using Rep = typename T::rep;
    using Tick = std::ratio_divide<typename T::period, std::nano>;
    static_assert(std::integral<Rep> && Tick::den == 1, "whole numbers of 1 ns or coarser");
    return {
        .kind = TypeKind::kDuration,
        .whole = [](const void* value) -> WideInt { return as<T>(value).count(); },
        .set_whole = [](void* value, WideInt whole) { as<T>(value) = T(static_cast<Rep>(whole)); },
        .least = std::numeric_limits<Rep>::min(),
        .greatest = std::numeric_limits<Rep>::max(),
        .tick_ns = Tick::num,
    };
}

template <NamedEnum E>
struct EnumRows {
    static constexpr auto kRows = [] {
        constexpr auto kNames = enum_names(E{});
        std::array<NamedValue, kNames.size()> rows{};
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] = {kNames[i].name, static_cast<WideInt>(kNames[i].value)};
        }
        return rows;
    }();
};

template <class T>
constexpr TypeInfo enum_info() {
    return {
        .kind = TypeKind::kEnum,
        .whole = [](const void* value) { return static_cast<WideInt>(as<T>(value)); },
        .set_whole = [](void* value, WideInt whole) { as<T>(value) = static_cast<T>(whole); },
        .names = EnumRows<T>::kRows,
    };
}

template <class T>
constexpr TypeInfo text_form_info() {
    return {
        .kind = TypeKind::kText,
        .text = [](const void* value) { return TextForm<T>::text(as<T>(value)); },
        .set_text = [](void* value, std::string_view text) -> Status {
            auto parsed = TextForm<T>::parse(text);
            if (!parsed) {
                return std::move(parsed).error();
            }
            as<T>(value) = *std::move(parsed);
            return {};
        },
        .format = TextForm<T>::kFormat,
    };
}

}  // namespace nexa::internal
