// SPDX-License-Identifier: Apache-2.0
#include "cli/spec_flags.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/json.h"
#include "core/near_name.h"
#include "core/utf8.h"

namespace nexa::cli {

namespace {

std::string dashed(std::string_view name) {
    std::string flag(name);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

bool is_word(TypeKind kind) {
    return kind != TypeKind::kArray && kind != TypeKind::kMap && kind != TypeKind::kStruct &&
           kind != TypeKind::kVariant && kind != TypeKind::kJson;
}

bool is_text(TypeKind kind) {
    return kind == TypeKind::kString || kind == TypeKind::kText || kind == TypeKind::kEnum;
}

std::string value_name(TypeKind kind) {
    if (kind == TypeKind::kBool) {
        return {};
    }
    if (kind == TypeKind::kInteger) {
        return "INT";
    }
    return kind == TypeKind::kReal || kind == TypeKind::kDuration ? "REAL" : "TEXT";
}

std::string shown(const RuleValue& value) {
    return value.kind == RuleValue::Kind::kWhole
               ? fmt::format("{}", static_cast<long long>(value.whole))
               : fmt::format("{}", value.real);
}

/// The default as it is written in JSON; empty for one that says nothing.
std::string default_of(const StructInfo& spec, const FieldInfo& field) {
    if (field.rules.is_required || field.type()->kind == TypeKind::kOptional) {
        return {};
    }
    const std::string json = encode(field.member_of(spec.defaults), *field.type());
    if (json == R"("")") {
        return {};
    }
    return is_text(field.type()->kind) ? json.substr(1, json.size() - 2) : json;
}

std::string help_of(const StructInfo& spec, const FieldInfo& field) {
    const FieldRules& rules = field.rules;
    std::vector<std::string> notes;
    if (!rules.unit.empty()) {
        notes.emplace_back(rules.unit);
    }
    const auto kind = without_optional(*field.type()).kind;
    if (rules.least.given() && rules.greatest.given() && kind != TypeKind::kDuration) {
        notes.push_back(fmt::format("{} to {}", shown(rules.least), shown(rules.greatest)));
    }
    if (!rules.choices.empty()) {
        notes.push_back(fmt::format("{}", fmt::join(rules.choices, "|")));
    }
    if (const std::string value = default_of(spec, field); !value.empty()) {
        notes.push_back("default " + value);
    }
    if (rules.is_required) {
        notes.emplace_back("required");
    }
    return notes.empty() ? std::string(rules.help)
                         : fmt::format("{} ({})", rules.help, fmt::join(notes, "; "));
}

}  // namespace

std::vector<SpecFlag> spec_flags(const StructInfo& spec) {
    std::vector<SpecFlag> flags;
    for (const FieldInfo& field : spec.fields) {
        const TypeKind kind = without_optional(*field.type()).kind;
        if (!is_word(kind) || field.rules.is_secret) {
            continue;
        }
        SpecFlag flag{
            .name = dashed(field.rules.name),
            .aliases = {},
            .help = help_of(spec, field),
            .value_name = value_name(kind),
            .field = &field,
        };
        for (const std::string_view alias : field.rules.aliases) {
            flag.aliases.push_back(dashed(alias));
        }
        flags.push_back(std::move(flag));
    }
    return flags;
}

Result<ValueNode> field_value(const FieldInfo& field, std::string_view text) {
    const TypeKind kind = without_optional(*field.type()).kind;
    if (is_text(kind)) {
        if (!is_utf8(text)) {
            return Error::invalid_argument("is not UTF-8").at(field.rules.name);
        }
        return ValueNode{.kind = ValueNode::Kind::kString, .text = std::string(text)};
    }
    auto parsed = parse_json(text);
    const bool is_number =
        kind == TypeKind::kInteger || kind == TypeKind::kReal || kind == TypeKind::kDuration;
    if (is_number && (!parsed || parsed->kind != ValueNode::Kind::kNumber)) {
        return Error::invalid_argument("must be a number, is '{}'", quotable(text))
            .at(field.rules.name);
    }
    if (kind == TypeKind::kBool && (!parsed || parsed->kind != ValueNode::Kind::kBool)) {
        return Error::invalid_argument("must be true or false, is '{}'", quotable(text))
            .at(field.rules.name);
    }
    if (!parsed) {
        return std::move(parsed).error().at(field.rules.name).hint("give the value as JSON");
    }
    return parsed;
}

void put(const StructInfo& spec, const FieldInfo& field, ValueNode value, ValueNode& payload) {
    for (std::size_t i = payload.keys.size(); i-- > 0;) {
        if (spec.find(payload.keys[i]) == &field) {
            payload.keys.erase(payload.keys.begin() + static_cast<std::ptrdiff_t>(i));
            payload.items.erase(payload.items.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    payload.keys.emplace_back(field.rules.name);
    payload.items.push_back(std::move(value));
}

Status set_field(const StructInfo& spec, std::string_view assignment, ValueNode& payload) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return Error::invalid_argument("'{}' is no key=value", quotable(assignment)).at("--set");
    }
    const std::string_view key = assignment.substr(0, equals);
    const FieldInfo* field = spec.find(key);
    if (field == nullptr) {
        std::vector<std::string_view> names;
        for (const FieldInfo& known : spec.fields) {
            names.push_back(known.rules.name);
        }
        const auto near = nearest(key, names);
        return Error::invalid_argument("there is no field '{}'", quotable(key))
            .at("--set")
            .hint(
                near ? fmt::format("did you mean '{}'?", *near)
                     : fmt::format("the fields are {}", fmt::join(names, ", "))
            );
    }
    TRY(ValueNode value, field_value(*field, assignment.substr(equals + 1)));
    put(spec, *field, std::move(value), payload);
    return {};
}

}  // namespace nexa::cli
