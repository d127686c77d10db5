// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "core/check.h"
#include "core/encode.h"
#include "core/json.h"

namespace nexa {

namespace {

using Structs = std::map<std::string_view, const StructInfo*>;

class SchemaWriter {
public:
    SchemaWriter(std::string_view reference_prefix, std::size_t indent)
        : prefix_(reference_prefix), out_(indent) {}

    JsonWriter& out() { return out_; }

    /// The entries of an object schema; the caller opens and closes the braces.
    void structure(const StructInfo& info) {
        string("type", "object");
        out_.key("properties");
        out_.begin_object();
        if (!info.type_tag.empty()) {
            out_.key("type");
            out_.begin_object();
            string("const", info.type_tag);
            out_.end_object();
        }
        for (const FieldInfo& field : info.fields) {
            out_.key(field.rules.name);
            property(field, info);
        }
        out_.end_object();
        required(info);
        out_.key("additionalProperties");
        out_.boolean(false);
    }

private:
    void string(std::string_view key, std::string_view value) {
        out_.key(key);
        out_.string(value);
    }

    void whole(std::string_view key, WideInt value) {
        out_.key(key);
        out_.whole(value);
    }

    void required(const StructInfo& info) {
        out_.key("required");
        out_.begin_array();
        if (!info.type_tag.empty()) {
            out_.string("type");
        }
        for (const FieldInfo& field : info.fields) {
            if (field.rules.is_required) {
                out_.string(field.rules.name);
            }
        }
        out_.end_array();
    }

    void property(const FieldInfo& field, const StructInfo& info) {
        const FieldRules& rules = field.rules;
        const TypeInfo& type = *field.type();
        out_.begin_object();
        string("description", description(rules, type));
        type_of(type, rules);
        const void* const initial = field.member_of(info.defaults);
        if (!rules.is_required && !rules.is_secret && !is_unset(initial, type)) {
            out_.key("default");
            write_value(out_, initial, type, rules);
        }
        if (rules.example.given()) {
            out_.key("examples");
            out_.begin_array();
            example(rules, type);
            out_.end_array();
        }
        out_.end_object();
    }

    static std::string description(const FieldRules& rules, const TypeInfo& type) {
        std::string_view unit = rules.unit;
        if (const TypeInfo* leaf = leaf_of(type); leaf->kind == TypeKind::kDuration) {
            unit = duration_unit(rules, *leaf);
        }
        return unit.empty() ? std::string(rules.help) : fmt::format("{}, in {}", rules.help, unit);
    }

    static const TypeInfo* leaf_of(const TypeInfo& type) {
        const TypeInfo* leaf = &type;
        while (leaf->element != nullptr) {
            leaf = leaf->element();
        }
        return leaf;
    }

    void example(const FieldRules& rules, const TypeInfo& type) {
        switch (const RuleValue& value = rules.example; value.kind) {
            case RuleValue::Kind::kNone:
                return;
            case RuleValue::Kind::kBool:
                return out_.boolean(value.whole != 0);
            case RuleValue::Kind::kWhole:
                return out_.whole(value.whole);
            case RuleValue::Kind::kReal:
                return out_.real(value.real);
            case RuleValue::Kind::kDuration:
                return time(value.whole, duration_unit(rules, *leaf_of(type)));
            case RuleValue::Kind::kText:
                return out_.string(value.text);
        }
    }

    void time(WideInt ns, std::string_view unit) {
        const WideInt unit_ns = unit_nanoseconds(unit);
        ns % unit_ns == 0 ? out_.whole(ns / unit_ns)
                          : out_.real(static_cast<double>(ns) / static_cast<double>(unit_ns));
    }

    void type_of(const TypeInfo& type, const FieldRules& rules) {
        switch (type.kind) {
            case TypeKind::kBool:
                return string("type", "boolean");
            case TypeKind::kInteger:
                return integer(type, rules);
            case TypeKind::kReal:
                string("type", "number");
                return bounds(rules, 1);
            case TypeKind::kDuration: {
                const WideInt unit_ns = unit_nanoseconds(duration_unit(rules, type));
                string("type", type.tick_ns % unit_ns == 0 ? "integer" : "number");
                return bounds(rules, unit_ns);
            }
            case TypeKind::kString:
            case TypeKind::kText:
                return text(type, rules);
            case TypeKind::kEnum:
                string("type", "string");
                return names(type);
            case TypeKind::kJson:
                return;  // any JSON value
            case TypeKind::kOptional:
                return optional(*type.element(), rules);
            case TypeKind::kArray:
            case TypeKind::kMap:
                return container(type, rules);
            case TypeKind::kStruct:
                return reference(*type.structure());
            case TypeKind::kVariant:
                return variant(type);
        }
    }

    void integer(const TypeInfo& type, const FieldRules& rules) {
        string("type", "integer");
        if (rules.least.given()) {
            return bounds(rules, 1);
        }
        // The ends of 64 bits say nothing, and JavaScript cannot write them.
        constexpr WideInt kExact = WideInt{1} << 53;
        if (type.least >= -kExact) {
            whole("minimum", type.least);
        }
        if (type.greatest <= kExact) {
            whole("maximum", type.greatest);
        }
    }

    void bounds(const FieldRules& rules, WideInt unit_ns) {
        if (rules.least.given()) {
            bound("minimum", rules.least, unit_ns);
            bound("maximum", rules.greatest, unit_ns);
        }
    }

    void bound(std::string_view key, const RuleValue& value, WideInt unit_ns) {
        out_.key(key);
        if (value.kind == RuleValue::Kind::kReal) {
            return out_.real(value.real);
        }
        const bool is_time = value.kind == RuleValue::Kind::kDuration;
        if (!is_time || value.whole % unit_ns == 0) {
            return out_.whole(is_time ? value.whole / unit_ns : value.whole);
        }
        out_.real(static_cast<double>(value.whole) / static_cast<double>(unit_ns));
    }

    void text(const TypeInfo& type, const FieldRules& rules) {
        string("type", "string");
        if (rules.is_secret) {
            string("format", "password");
        } else if (!type.format.empty()) {
            string("format", type.format);
        }
        if (!rules.choices.empty()) {
            out_.key("enum");
            out_.begin_array();
            for (const std::string_view word : rules.choices) {
                out_.string(word);
            }
            out_.end_array();
        }
        lengths("minLength", "maxLength", rules);
    }

    void lengths(std::string_view least, std::string_view greatest, const FieldRules& rules) {
        if (rules.length_min > 0) {
            whole(least, rules.length_min);
        }
        if (rules.length_max != SIZE_MAX) {
            whole(greatest, rules.length_max);
        }
    }

    void names(const TypeInfo& type) {
        out_.key("enum");
        out_.begin_array();
        for (const NamedValue& row : type.names) {
            out_.string(row.name);
        }
        out_.end_array();
    }

    void optional(const TypeInfo& inner, const FieldRules& rules) {
        out_.key("anyOf");
        out_.begin_array();
        out_.begin_object();
        type_of(inner, rules);
        out_.end_object();
        out_.begin_object();
        string("type", "null");
        out_.end_object();
        out_.end_array();
    }

    void container(const TypeInfo& type, const FieldRules& rules) {
        const bool is_array = type.kind == TypeKind::kArray;
        string("type", is_array ? "array" : "object");
        is_array ? lengths("minItems", "maxItems", rules)
                 : lengths("minProperties", "maxProperties", rules);
        FieldRules inner = rules;
        inner.length_min = 0;
        inner.length_max = SIZE_MAX;
        out_.key(is_array ? "items" : "additionalProperties");
        out_.begin_object();
        type_of(*type.element(), inner);
        out_.end_object();
    }

    void reference(const StructInfo& info) {
        string("$ref", fmt::format("{}{}", prefix_, info.name));
    }

    void variant(const TypeInfo& type) {
        out_.key("oneOf");
        out_.begin_array();
        for (const auto& alternative : type.alternatives) {
            out_.begin_object();
            reference(*alternative());
            out_.end_object();
        }
        out_.end_array();
        out_.key("discriminator");
        out_.begin_object();
        string("propertyName", "type");
        out_.key("mapping");
        out_.begin_object();
        for (const auto& alternative : type.alternatives) {
            string(alternative()->type_tag, fmt::format("{}{}", prefix_, alternative()->name));
        }
        out_.end_object();
        out_.end_object();
    }

    std::string_view prefix_;
    JsonWriter out_;
};

void collect_from(const TypeInfo& type, Structs& found);

void collect(const StructInfo& info, Structs& found) {
    const auto [at, is_new] = found.emplace(info.name, &info);
    NEXA_CHECK(at->second == &info);  // two border structs have one public name
    if (is_new) {
        for (const FieldInfo& field : info.fields) {
            collect_from(*field.type(), found);
        }
    }
}

void collect_from(const TypeInfo& type, Structs& found) {
    if (type.element != nullptr) {
        return collect_from(*type.element(), found);
    }
    if (type.structure != nullptr) {
        collect(*type.structure(), found);
    }
    for (const auto& alternative : type.alternatives) {
        collect(*alternative(), found);
    }
}

void write_definitions(SchemaWriter& writer, const Structs& structs) {
    writer.out().begin_object();
    for (const auto& [name, info] : structs) {
        writer.out().key(name);
        writer.out().begin_object();
        writer.structure(*info);
        writer.out().end_object();
    }
    writer.out().end_object();
}

constexpr std::size_t kIndent = 2;

}  // namespace

std::string json_schema(const TypeInfo& type) {
    NEXA_CHECK(type.kind == TypeKind::kStruct);
    const StructInfo& info = *type.structure();
    Structs nested;
    // The struct itself is among them only if it is inside itself.
    for (const FieldInfo& field : info.fields) {
        collect_from(*field.type(), nested);
    }
    SchemaWriter writer("#/$defs/", kIndent);
    writer.out().begin_object();
    writer.out().key("$schema");
    writer.out().string("https://json-schema.org/draft/2020-12/schema");
    writer.out().key("title");
    writer.out().string(info.name);
    writer.structure(info);
    if (!nested.empty()) {
        writer.out().key("$defs");
        write_definitions(writer, nested);
    }
    writer.out().end_object();
    return writer.out().take() + "\n";
}

std::string openapi_schemas(std::span<const TypeInfo* const> types) {
    Structs structs;
    for (const TypeInfo* type : types) {
        collect_from(*type, structs);
    }
    SchemaWriter writer("#/components/schemas/", kIndent);
    write_definitions(writer, structs);
    return writer.out().take() + "\n";
}

}  // namespace nexa
