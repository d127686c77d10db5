// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/fields.h"
#include "core/result.h"

/// Border structs as data: the field lists and how to reach the members, without their types. One
/// decoder, encoder, schema writer and settings loader walk these; each is compiled once. Made by
/// core/json_codec.h; everything in it lives as long as the program and is safe to share.
namespace nexa {

struct StructInfo;

enum class TypeKind : std::uint8_t {
    kBool,
    kInteger,
    kReal,
    kString,
    kDuration,
    kText,  ///< a JSON string with a text form: ids, timestamps
    kEnum,
    kJson,
    kOptional,
    kArray,
    kMap,
    kStruct,
    kVariant,
};

struct NamedValue {
    std::string_view name;
    WideInt value = 0;
};

/// How to read and change a value of one type. Only the pointers of its kind are set; `value` is
/// the address of an object of that type.
struct TypeInfo {
    TypeKind kind = TypeKind::kBool;

    // kBool, kInteger, kEnum; kDuration in ticks
    WideInt (*whole)(const void* value) = nullptr;
    void (*set_whole)(void* value, WideInt whole) = nullptr;
    WideInt least = 0;  ///< what the type can hold
    WideInt greatest = 0;
    WideInt tick_ns = 0;                  ///< kDuration
    std::span<const NamedValue> names{};  ///< kEnum

    // kReal: 4 or 8 bytes
    double (*real)(const void* value) = nullptr;
    void (*set_real)(void* value, double real) = nullptr;
    bool is_float = false;

    // kString, kText, kJson
    std::string (*text)(const void* value) = nullptr;
    Status (*set_text)(void* value, std::string_view text) = nullptr;
    std::string_view format{};

    // kOptional, kArray, kMap: what is inside
    const TypeInfo* (*element)() = nullptr;
    std::size_t (*size)(const void* value) = nullptr;
    void (*clear)(void* value) = nullptr;
    /// Adds a default element and gives its address, valid until the next. `key` is for kMap.
    void* (*add)(void* value, std::string_view key) = nullptr;
    using Visit = void (*)(void* context, std::string_view key, const void* element);
    void (*visit)(const void* value, Visit visit, void* context) = nullptr;

    // kStruct
    const StructInfo* (*structure)() = nullptr;

    // kVariant
    std::span<const StructInfo* (*const)()> alternatives{};
    std::size_t (*index)(const void* value) = nullptr;
    const void* (*active)(const void* value) = nullptr;
    void* (*emplace)(void* value, std::size_t index) = nullptr;
};

struct FieldInfo {
    FieldRules rules;
    const TypeInfo* (*type)() = nullptr;
    void* (*member)(void* object) = nullptr;

    const void* member_of(const void* object) const {
        return member(const_cast<void*>(object));  // it only adds an offset
    }
};

struct StructInfo {
    std::string_view name;
    std::string_view type_tag;  ///< kType; empty if it has none
    std::span<const FieldInfo> fields;
    const void* defaults = nullptr;  ///< an object as T{} makes it
    Status (*validate)(const void* object) = nullptr;

    /// The field of that name or alias, or nullptr.
    const FieldInfo* find(std::string_view key) const;
};

/// The description of T, or of a vector of T. Defined by NEXA_JSON_CODEC(T) in one .cc; where that
/// is missing, it does not link.
template <class T>
const TypeInfo& type_info();

/// What is under optionals and Strong: the type that decides how a scalar is written.
const TypeInfo& without_optional(const TypeInfo& type);

/// How many nanoseconds the unit of a duration field has ("s": 1,000,000,000).
WideInt unit_nanoseconds(std::string_view unit);
/// The unit in which a duration field is written: its own, or that of the type.
std::string_view duration_unit(const FieldRules& rules, const TypeInfo& type);

}  // namespace nexa
