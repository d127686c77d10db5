// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "core/scalar_info_internal.h"

/// Makes the TypeInfo of a border struct. Included only by the .cc that owns the struct, which says
/// `NEXA_JSON_CODEC(TrainSpec);` in the struct's namespace; everyone else takes core/json.h.
namespace nexa::internal {

template <class T>
constexpr TypeInfo optional_info() {
    return {
        .kind = TypeKind::kOptional,
        .element = &info_of<typename T::value_type>,
        .size = [](const void* value) -> std::size_t { return as<T>(value).has_value() ? 1 : 0; },
        .clear = [](void* value) { as<T>(value).reset(); },
        .add = [](void* value, std::string_view) -> void* { return &as<T>(value).emplace(); },
        .visit =
            [](const void* value, TypeInfo::Visit visit, void* context) {
                if (as<T>(value)) {
                    visit(context, {}, &*as<T>(value));
                }
            },
    };
}

template <class T>
constexpr TypeInfo vector_info() {
    static_assert(!std::same_as<typename T::value_type, bool>, "vector<bool> has no elements");
    return {
        .kind = TypeKind::kArray,
        .element = &info_of<typename T::value_type>,
        .size = [](const void* value) { return as<T>(value).size(); },
        .clear = [](void* value) { as<T>(value).clear(); },
        .add = [](void* value, std::string_view) -> void* { return &as<T>(value).emplace_back(); },
        .visit =
            [](const void* value, TypeInfo::Visit visit, void* context) {
                for (const auto& element : as<T>(value)) {
                    visit(context, {}, &element);
                }
            },
    };
}

template <class T>
constexpr TypeInfo map_info() {
    return {
        .kind = TypeKind::kMap,
        .element = &info_of<typename T::mapped_type>,
        .size = [](const void* value) { return as<T>(value).size(); },
        .clear = [](void* value) { as<T>(value).clear(); },
        .add = [](void* value, std::string_view key) -> void* {
            return &as<T>(value)[std::string(key)];
        },
        .visit =
            [](const void* value, TypeInfo::Visit visit, void* context) {
                for (const auto& [key, element] : as<T>(value)) {
                    visit(context, key, &element);
                }
            },
    };
}

/// The type's own name, without namespaces, as the compiler prints it.
template <class T>
constexpr std::string_view bare_type_name() {
    std::string_view text = __PRETTY_FUNCTION__;
    text.remove_prefix(text.find("T = ") + 4);
    text = text.substr(0, text.find_first_of(";]"));
    const std::size_t colon = text.rfind(':');
    return colon == std::string_view::npos ? text : text.substr(colon + 1);
}

template <HasFields T>
struct StructOf {
    static constexpr auto kFields = T::fields();
    static constexpr std::size_t kCount = std::tuple_size_v<decltype(T::fields())>;

    template <std::size_t I>
    static void* member(void* object) {
        return &(as<T>(object).*(std::get<I>(kFields).member()));
    }

    template <std::size_t... I>
    static constexpr std::array<FieldInfo, kCount> rows(std::index_sequence<I...>) {
        return {{FieldInfo{
            std::get<I>(kFields).rules(),
            &info_of<typename std::tuple_element_t<I, decltype(T::fields())>::Member>,
            &member<I>,
        }...}};
    }

    static constexpr std::array<FieldInfo, kCount> kRows = rows(std::make_index_sequence<kCount>());

    static constexpr std::string_view name() {
        if constexpr (requires { T::kName; }) {
            return T::kName;
        } else {
            return bare_type_name<T>();
        }
    }

    static constexpr std::string_view type_tag() {
        if constexpr (requires { T::kType; }) {
            return T::kType;
        } else {
            return {};
        }
    }

    static Status validate(const void* object) {
        if constexpr (requires { as<T>(object).validate(); }) {
            return as<T>(object).validate();
        } else {
            return {};
        }
    }

    static constexpr bool names_are_unique() {
        for (std::size_t i = 0; i < kCount; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (kRows[i].rules.name == kRows[j].rules.name) {
                    return false;
                }
            }
            if (!type_tag().empty() && kRows[i].rules.name == "type") {
                return false;
            }
        }
        return true;
    }

    static const StructInfo* info() {
        static_assert(names_are_unique(), "two fields of this struct have one name");
        static const T defaults{};
        static const StructInfo info{name(), type_tag(), kRows, &defaults, &validate};
        return &info;
    }
};

template <class T>
struct VariantOf;
template <class... Ts>
struct VariantOf<std::variant<Ts...>> {
    using T = std::variant<Ts...>;
    static_assert((... && (StructOf<Ts>::type_tag() != "")), "each alternative needs kType");

    static constexpr std::array<const StructInfo* (*)(), sizeof...(Ts)> kAlternatives{
        &StructOf<Ts>::info...,
    };
    template <std::size_t... I>
    static void* emplace(T& value, std::size_t index, std::index_sequence<I...>) {
        void* made = nullptr;
        ((I == index ? static_cast<void>(made = &value.template emplace<I>()) : static_cast<void>(0)
         ),
         ...);
        return made;
    }

    static constexpr TypeInfo info() {
        return {
            .kind = TypeKind::kVariant,
            .alternatives = kAlternatives,
            .index = [](const void* value) { return as<T>(value).index(); },
            .active = [](const void* value) -> const void* {
                return std::visit(
                    [](const auto& inner) -> const void* { return &inner; }, as<T>(value)
                );
            },
            .emplace = [](void* value, std::size_t index) -> void* {
                return emplace(as<T>(value), index, std::index_sequence_for<Ts...>());
            },
        };
    }
};

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<std::map<std::string, T>> = true;
template <class T>
inline constexpr bool kIsVariant = false;
template <class... Ts>
inline constexpr bool kIsVariant<std::variant<Ts...>> = true;

template <class T>
constexpr TypeInfo make_info() {
    using Inner = typename Wrapping<T>::Inner;
    if constexpr (std::integral<Inner>) {
        return integer_info<T>();
    } else if constexpr (std::floating_point<Inner>) {
        return real_info<T>();
    } else if constexpr (std::same_as<Inner, std::string>) {
        return string_info<T>();
    } else if constexpr (std::same_as<T, JsonText>) {
        return json_text_info<T>();
    } else if constexpr (kIsDuration<T>) {
        return duration_info<T>();
    } else if constexpr (NamedEnum<T>) {
        return enum_info<T>();
    } else if constexpr (HasTextForm<T>) {
        return text_form_info<T>();
    } else if constexpr (kIsOptional<T>) {
        return optional_info<T>();
    } else if constexpr (kIsVector<T>) {
        return vector_info<T>();
    } else if constexpr (kIsMap<T>) {
        return map_info<T>();
    } else if constexpr (kIsVariant<T>) {
        return VariantOf<T>::info();
    } else {
        static_assert(HasFields<T>, "this type can be no member of a border struct");
        return {.kind = TypeKind::kStruct, .structure = &StructOf<T>::info};
    }
}

template <class T>
struct InfoOf {
    static constexpr TypeInfo kInfo = make_info<T>();
};

}  // namespace nexa::internal

namespace nexa {

template <class T>
const TypeInfo& type_info() {
    return *internal::info_of<T>();
}

}  // namespace nexa

/// In the one .cc that owns the struct, in its namespace: T and vectors of T can be read, written
/// and described from then on, everywhere.
#define NEXA_JSON_CODEC(T)                                                                        \
    [[gnu::used]] static const ::nexa::TypeInfo& (*const NEXA_CONCAT(codec_of_, __COUNTER__))() = \
        &::nexa::type_info<T>;                                                                    \
    [[gnu::used]] static const ::nexa::TypeInfo& (*const NEXA_CONCAT(codec_of_, __COUNTER__))() = \
        &::nexa::type_info<std::vector<T>>
