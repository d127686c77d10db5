// SPDX-License-Identifier: Apache-2.0
#include "config/setting_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/encode.h"

namespace nexa::config {

namespace {

// A struct that holds itself has no end of settings.
constexpr std::size_t kDepthMax = 8;

std::string rule_text(const RuleValue& value, WideInt unit_ns) {
    switch (value.kind) {
        case RuleValue::Kind::kReal:
            return fmt::format("{}", value.real);
        case RuleValue::Kind::kDuration:
            return fmt::format(
                "{}", static_cast<double>(value.whole) / static_cast<double>(unit_ns)
            );
        default:
            return fmt::format("{}", value.whole);
    }
}

const TypeInfo& leaf_of(const TypeInfo& type) {
    const TypeInfo* leaf = &type;
    while (leaf->element != nullptr) {
        leaf = leaf->element();
    }
    return *leaf;
}

std::string words_text(const FieldRules& rules) {
    return rules.choices.empty()
               ? "string"
               : fmt::format(
                     "one of {}", fmt::join(rules.choices.begin(), rules.choices.end(), ", ")
                 );
}

std::string names_text(const TypeInfo& type) {
    std::string names;
    for (const NamedValue& row : type.names) {
        names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
    }
    return "one of " + names;
}

std::string with_unit(std::string_view what, const FieldRules& rules) {
    return rules.unit.empty() ? std::string(what) : fmt::format("{} of {}", what, rules.unit);
}

std::string type_text(const TypeInfo& type, const FieldRules& rules) {
    switch (type.kind) {
        case TypeKind::kBool:
            return "true or false";
        case TypeKind::kInteger:
            return rules.unit.empty() ? "integer" : fmt::format("number of {}", rules.unit);
        case TypeKind::kReal:
            return with_unit("number", rules);
        case TypeKind::kDuration:
            return fmt::format("number of {}", duration_unit(rules, type));
        case TypeKind::kString:
            return words_text(rules);
        case TypeKind::kText:
            return type.format.empty() ? "string" : std::string(type.format);
        case TypeKind::kEnum:
            return names_text(type);
        case TypeKind::kJson:
            return "any value";
        case TypeKind::kOptional:
            return type_text(*type.element(), rules);
        case TypeKind::kArray:
            return fmt::format("list of {}", type_text(*type.element(), rules));
        case TypeKind::kMap:
            return fmt::format("mapping to {}", type_text(*type.element(), rules));
        case TypeKind::kStruct:
            return std::string(type.structure()->name);
        case TypeKind::kVariant: {
            std::string tags;
            for (const auto& alternative : type.alternatives) {
                tags += fmt::format("{}{}", tags.empty() ? "" : ", ", alternative()->type_tag);
            }
            return fmt::format("object of type {}", tags);
        }
    }
    return {};
}

std::string range_text(const TypeInfo& type, const FieldRules& rules) {
    std::string text;
    if (rules.least.given()) {
        const TypeInfo& leaf = leaf_of(type);
        const bool is_time = leaf.kind == TypeKind::kDuration;
        const WideInt unit_ns = is_time ? unit_nanoseconds(duration_unit(rules, leaf)) : 1;
        text = fmt::format(
            "{} to {}", rule_text(rules.least, unit_ns), rule_text(rules.greatest, unit_ns)
        );
    }
    const std::string_view what =
        without_optional(type).kind == TypeKind::kString ? "characters" : "entries";
    if (rules.length_min > 0 || rules.length_max != SIZE_MAX) {
        text += text.empty() ? "" : ", ";
    }
    if (rules.length_max == SIZE_MAX) {
        return rules.length_min == 0
                   ? text
                   : fmt::format("{}at least {} {}", text, rules.length_min, what);
    }
    return rules.length_min == 0
               ? fmt::format("{}at most {} {}", text, rules.length_max, what)
               : fmt::format("{}{} to {} {}", text, rules.length_min, rules.length_max, what);
}

class SettingLister {
public:
    explicit SettingLister(std::string_view prefix) : prefix_(prefix) {}

    void add(const StructInfo& info, const std::string& path, std::size_t depth) {
        for (const FieldInfo& field : info.fields) {
            const std::string below = path.empty() ? std::string(field.rules.name)
                                                   : fmt::format("{}.{}", path, field.rules.name);
            add(field, info, below, depth);
        }
    }

    std::vector<SettingRow> take() { return std::move(rows_); }

private:
    void add(
        const FieldInfo& field, const StructInfo& info, const std::string& path, std::size_t depth
    ) {
        const TypeInfo& type = without_optional(*field.type());
        if (type.kind == TypeKind::kStruct && depth < kDepthMax) {
            return add(*type.structure(), path, depth + 1);
        }
        if (type.kind == TypeKind::kMap && type.element()->kind == TypeKind::kStruct &&
            depth < kDepthMax) {
            return add(*type.element()->structure(), path + ".<name>", depth + 1);
        }
        const FieldRules& rules = field.rules;
        const void* const initial = field.member_of(info.defaults);
        const bool has_initial =
            !rules.is_required && !rules.is_secret && !is_unset(initial, *field.type());
        rows_.push_back({
            .path = path,
            .variable = variable_of(path, prefix_),
            .type = type_text(type, rules),
            .initial = has_initial ? setting_text(initial, *field.type(), rules) : std::string(),
            .range = range_text(type, rules),
            .help = std::string(rules.help),
            .is_required = rules.is_required,
            .is_secret = rules.is_secret,
        });
    }

    std::string_view prefix_;
    std::vector<SettingRow> rows_;
};

/// Text fit for a cell of a table.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') {
            out += '\\';
        }
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string code_cell(std::string_view text) {
    return text.empty() ? std::string() : fmt::format("`{}`", cell(text));
}

}  // namespace

std::vector<SettingRow> list_settings(const TypeInfo& type, std::string_view prefix) {
    NEXA_CHECK(type.kind == TypeKind::kStruct);
    SettingLister lister(prefix);
    lister.add(*type.structure(), {}, 0);
    return lister.take();
}

std::string variable_of(std::string_view path, std::string_view prefix) {
    std::string name(prefix);
    for (const char c : path) {
        if (c == '.') {
            name += "__";
        } else {
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return name;
}

std::string setting_text(const void* value, const TypeInfo& type, const FieldRules& rules) {
    JsonWriter out;
    write_value(out, value, type, rules, SecretFields::kMask);
    std::string json = out.take();
    const auto node = parse_json(json);
    return node && node->kind == ValueNode::Kind::kString ? node->text : json;
}

std::string settings_reference(const TypeInfo& type, std::string_view prefix) {
    std::string page =
        "| Setting | Variable | Type | Default | Range | Meaning |\n"
        "|---|---|---|---|---|---|\n";
    for (const SettingRow& row : list_settings(type, prefix)) {
        const std::string_view state = row.is_required ? " (required)" : "";
        page += fmt::format(
            "| `{}`{} | `{}`{} | {} | {} | {} | {} |\n",
            row.path,
            state,
            row.variable,
            row.is_secret ? fmt::format(", `{}_FILE`", row.variable) : "",
            cell(row.is_secret ? row.type + ", secret" : row.type),
            code_cell(row.initial),
            cell(row.range),
            cell(row.help)
        );
    }
    return page;
}

}  // namespace nexa::config
