// SPDX-License-Identifier: Apache-2.0
#include "core/encode.h"

#include "core/check.h"
#include "core/json.h"

namespace nexa {

namespace {

void write_duration(
    JsonWriter& out, const void* value, const TypeInfo& type, const FieldRules& rules
) {
    const WideInt ns = type.whole(value) * type.tick_ns;
    const WideInt unit_ns = unit_nanoseconds(duration_unit(rules, type));
    if (ns % unit_ns == 0) {
        return out.whole(ns / unit_ns);
    }
    // Digits, not a double: every tick reads back as itself.
    const bool negative = ns < 0;
    const WideInt size = negative ? -ns : ns;
    if (unit_ns % 10 != 0 || unit_ns > 1'000'000'000) {
        return out.real(static_cast<double>(ns) / static_cast<double>(unit_ns));
    }
    WideInt scale = unit_ns;
    std::string fraction;
    for (WideInt rest = size % unit_ns; rest != 0;) {
        scale /= 10;
        fraction.push_back(static_cast<char>('0' + static_cast<int>(rest / scale)));
        rest %= scale;
    }
    out.raw(fmt::format("{}{}.{}", negative ? "-" : "", size / unit_ns, fraction));
}

void write_object(
    JsonWriter& out, const void* object, const StructInfo& info, SecretFields secrets
) {
    out.begin_object();
    if (!info.type_tag.empty()) {
        out.key("type");
        out.string(info.type_tag);
    }
    for (const FieldInfo& field : info.fields) {
        const void* const member = field.member_of(object);
        const TypeInfo& type = *field.type();
        if (is_unset(member, type) && !field.rules.is_required && !field.rules.is_null_when_empty) {
            continue;
        }
        out.key(field.rules.name);
        write_value(out, member, type, field.rules, secrets);
    }
    out.end_object();
}

struct ElementWriter {
    JsonWriter& out;
    const TypeInfo& type;
    const FieldRules& rules;
    SecretFields secrets;
    bool keyed;

    static void visit(void* context, std::string_view key, const void* element) {
        const auto& self = *static_cast<const ElementWriter*>(context);
        if (self.keyed) {
            self.out.key(key);
        }
        write_value(self.out, element, self.type, self.rules, self.secrets);
    }
};

void write_enum(JsonWriter& out, const void* value, const TypeInfo& type) {
    const WideInt whole = type.whole(value);
    for (const NamedValue& row : type.names) {
        if (row.value == whole) {
            return out.string(row.name);
        }
    }
    NEXA_CHECK(false);  // an enumerator lacks its row in enum_names
}

}  // namespace

bool is_unset(const void* value, const TypeInfo& type) {
    switch (type.kind) {
        case TypeKind::kOptional:
            return type.size(value) == 0;
        case TypeKind::kText:
        case TypeKind::kJson:
            return type.text(value).empty();
        default:
            return false;
    }
}

void write_value(
    JsonWriter& out,
    const void* value,
    const TypeInfo& type,
    const FieldRules& rules,
    SecretFields secrets
) {
    if (rules.is_secret && secrets == SecretFields::kMask && !is_unset(value, type)) {
        return out.string("[secret]");
    }
    switch (type.kind) {
        case TypeKind::kBool:
            return out.boolean(type.whole(value) != 0);
        case TypeKind::kInteger:
            return out.whole(type.whole(value));
        case TypeKind::kReal:
            return type.is_float ? out.real(static_cast<float>(type.real(value)))
                                 : out.real(type.real(value));
        case TypeKind::kDuration:
            return write_duration(out, value, type, rules);
        case TypeKind::kString:
        case TypeKind::kText:
            return out.string(type.text(value));
        case TypeKind::kEnum:
            return write_enum(out, value, type);
        case TypeKind::kJson:
            return is_unset(value, type) ? out.null() : out.raw(type.text(value));
        case TypeKind::kOptional:
            if (is_unset(value, type)) {
                return out.null();
            }
            [[fallthrough]];
        case TypeKind::kArray:
        case TypeKind::kMap: {
            const bool keyed = type.kind == TypeKind::kMap;
            ElementWriter writer{out, *type.element(), rules, secrets, keyed};
            if (type.kind != TypeKind::kOptional) {
                keyed ? out.begin_object() : out.begin_array();
            }
            type.visit(value, &ElementWriter::visit, &writer);
            if (type.kind != TypeKind::kOptional) {
                keyed ? out.end_object() : out.end_array();
            }
            return;
        }
        case TypeKind::kStruct:
            return write_object(out, value, *type.structure(), secrets);
        case TypeKind::kVariant: {
            const StructInfo& active = *type.alternatives[type.index(value)]();
            return write_object(out, type.active(value), active, secrets);
        }
    }
}

void write_node(JsonWriter& out, const ValueNode& node) {
    using Kind = ValueNode::Kind;
    const bool is_object = node.kind == Kind::kObject;
    switch (node.kind) {
        case Kind::kNull:
            return out.null();
        case Kind::kBool:
        case Kind::kNumber:
            return out.raw(node.text);
        case Kind::kString:
            return out.string(node.text);
        case Kind::kPlain: {
            // The same words as in JSON mean the same; everything else is a string.
            const auto scalar = parse_json(node.text);
            return scalar && scalar->items.empty() && scalar->kind != Kind::kString &&
                           scalar->kind != Kind::kArray && scalar->kind != Kind::kObject
                       ? out.raw(scalar->raw)
                       : out.string(node.text);
        }
        case Kind::kArray:
        case Kind::kObject:
            is_object ? out.begin_object() : out.begin_array();
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                if (is_object) {
                    out.key(node.keys[i]);
                }
                write_node(out, node.items[i]);
            }
            is_object ? out.end_object() : out.end_array();
    }
}

std::string encode(const void* value, const TypeInfo& type, SecretFields secrets) {
    JsonWriter out;
    write_value(out, value, type, {}, secrets);
    return out.take();
}

std::string to_json(const ValueNode& node) {
    JsonWriter out;
    write_node(out, node);
    return out.take();
}

}  // namespace nexa
