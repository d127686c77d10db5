// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "config/layers_internal.h"
#include "config/yaml_tree.h"

namespace nexa::config {

namespace {

using Kind = ValueNode::Kind;

// As many as a struct has settings; the environment is not ours to trust.
constexpr std::size_t kSourcesMax = 10'000;
constexpr ParseLimits kValueLimits{.bytes_max = 65'536, .depth_max = 16, .values_max = 10'000};

struct Member {
    const TypeInfo* type = nullptr;
    const FieldRules* rules = nullptr;
    std::string_view name;
};

Member member_of(const StructInfo& info, std::string_view key) {
    const FieldInfo* field = info.find(key);
    return field == nullptr ? Member{} : Member{field->type(), &field->rules, field->rules.name};
}

/// The key "type" of a variant: a word that the decoder compares itself.
constexpr TypeInfo kTag{.kind = TypeKind::kString};

/// What a key of an object of `type` leads to. Of a variant, the first alternative that has it.
Member member_of(const TypeInfo& type, std::string_view key) {
    const TypeInfo& inner = without_optional(type);
    switch (inner.kind) {
        case TypeKind::kStruct:
            return member_of(*inner.structure(), key);
        case TypeKind::kMap:
            return {inner.element(), nullptr, key};
        case TypeKind::kVariant:
            for (const auto& alternative : inner.alternatives) {
                if (const Member member = member_of(*alternative(), key); member.type != nullptr) {
                    return member;
                }
            }
            return key == "type" ? Member{&kTag, nullptr, key} : Member{};
        default:
            return {};
    }
}

bool is_merged(const TypeInfo* type) {
    if (type == nullptr) {
        return false;
    }
    const TypeKind kind = without_optional(*type).kind;
    return kind == TypeKind::kStruct || kind == TypeKind::kMap || kind == TypeKind::kVariant;
}

/// Another alternative of a variant has nothing to keep of the one below it.
bool changes_alternative(const ValueNode& below, const ValueNode& above) {
    const ValueNode* const old_tag = below.find("type");
    const ValueNode* const new_tag = above.find("type");
    return old_tag != nullptr && new_tag != nullptr && old_tag->text != new_tag->text;
}

void merge_node(ValueNode& below, ValueNode above, const TypeInfo* type) {
    const bool both_objects = below.kind == Kind::kObject && above.kind == Kind::kObject;
    if (!both_objects || !is_merged(type) ||
        (without_optional(*type).kind == TypeKind::kVariant && changes_alternative(below, above))) {
        below = std::move(above);
        return;
    }
    below.source = above.source;
    below.line = above.line;
    for (std::size_t i = 0; i < above.items.size(); ++i) {
        const auto found = std::ranges::find(below.keys, above.keys[i]);
        if (found == below.keys.end()) {
            below.keys.push_back(std::move(above.keys[i]));
            below.items.push_back(std::move(above.items[i]));
            continue;
        }
        const auto index = static_cast<std::size_t>(found - below.keys.begin());
        merge_node(
            below.items[index], std::move(above.items[i]), member_of(*type, above.keys[i]).type
        );
    }
}

/// Gives every field its name instead of an alias, so that layers that call it differently meet.
void use_names(ValueNode& node, const TypeInfo& type) {
    const TypeInfo& inner = without_optional(type);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (node.kind == Kind::kArray) {
            if (inner.kind == TypeKind::kArray) {
                use_names(node.items[i], *inner.element());
            }
            continue;
        }
        const Member member = member_of(inner, node.keys[i]);
        if (member.type == nullptr) {
            continue;
        }
        // Both in one layer stay both: the decoder compares them.
        if (node.keys[i] != member.name && node.find(member.name) == nullptr) {
            node.keys[i] = member.name;
        }
        use_names(node.items[i], *member.type);
    }
}

void stamp(ValueNode& node, std::uint16_t source) {
    node.source = source;
    for (ValueNode& item : node.items) {
        stamp(item, source);
    }
}

bool is_composite(const TypeInfo& type) {
    switch (type.kind) {
        case TypeKind::kArray:
        case TypeKind::kMap:
        case TypeKind::kStruct:
        case TypeKind::kVariant:
        case TypeKind::kJson:
            return true;
        default:
            return false;
    }
}

std::optional<std::string> secret_below(
    const ValueNode& node, const TypeInfo& type, const std::string& path
) {
    const TypeInfo& inner = without_optional(type);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
        const bool is_array = node.kind == Kind::kArray;
        if (is_array && inner.kind != TypeKind::kArray) {
            continue;
        }
        const Member member =
            is_array ? Member{inner.element(), nullptr, {}} : member_of(inner, node.keys[i]);
        if (member.type == nullptr) {
            continue;
        }
        const std::string dot = path.empty() || is_array ? "" : ".";
        std::string below =
            path + dot + (is_array ? fmt::format("[{}]", i) : std::string(member.name));
        if (member.rules != nullptr && member.rules->is_secret &&
            node.items[i].kind != Kind::kNull) {
            return below;
        }
        if (auto found = secret_below(node.items[i], *member.type, below)) {
            return found;
        }
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> split_path(std::string_view path, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = path.find(separator);
        parts.emplace_back(path.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        path.remove_prefix(end + separator.size());
    }
}

std::optional<Target> resolve(const TypeInfo& type, std::span<const std::string> path) {
    static constexpr FieldRules kNoRules{};
    Target target{.type = &type, .rules = &kNoRules, .path = {}};
    for (const std::string& key : path) {
        const Member member = member_of(*target.type, key);
        if (key.empty() || member.type == nullptr) {
            return std::nullopt;
        }
        target.path.emplace_back(member.name);
        target.type = member.type;
        target.rules = member.rules == nullptr ? target.rules : member.rules;
    }
    return target;
}

std::optional<std::string> find_secret(const ValueNode& node, const TypeInfo& type) {
    return secret_below(node, type, {});
}

Layers::Layers(const TypeInfo& type) : type_(type), labels_(1) {
    tree_.kind = Kind::kObject;
}

Result<std::uint16_t> Layers::add_source(std::string label) {
    if (labels_.size() > kSourcesMax) {
        return Error::invalid_argument("settings come from more than {} places", kSourcesMax);
    }
    labels_.push_back(std::move(label));
    return static_cast<std::uint16_t>(labels_.size() - 1);
}

void Layers::merge(ValueNode layer, std::uint16_t source) {
    stamp(layer, source);
    use_names(layer, type_);
    merge_node(tree_, std::move(layer), &type_);
    // What the whole lacks, no single layer lacks.
    tree_.source = 0;
    tree_.line = 0;
}

Status Layers::set(const Target& target, std::string_view text, std::uint16_t source) {
    ValueNode node{.kind = Kind::kPlain, .text = std::string(text)};
    if (target.type->kind == TypeKind::kOptional && text == "null") {
        node = ValueNode{.kind = Kind::kNull};
    } else if (is_composite(without_optional(*target.type))) {
        auto parsed = parse_yaml(text, labels_[source], kValueLimits);
        if (!parsed) {
            Error error = std::move(parsed).error();
            error.param = fmt::format("{}: {}", labels_[source], fmt::join(target.path, "."));
            return error;
        }
        node = *std::move(parsed);
    }
    put(target.path, std::move(node), source);
    return {};
}

void Layers::set_unknown(
    std::vector<std::string> path, std::string_view text, std::uint16_t source
) {
    put(path, ValueNode{.kind = Kind::kPlain, .text = std::string(text)}, source);
}

void Layers::put(std::span<const std::string> path, ValueNode node, std::uint16_t source) {
    node.line = 0;
    for (; !path.empty(); path = path.first(path.size() - 1)) {
        ValueNode outer{.kind = Kind::kObject};
        outer.keys.push_back(path.back());
        outer.items.push_back(std::move(node));
        node = std::move(outer);
    }
    merge(std::move(node), source);
}

std::string Layers::origin_of(const ValueNode& node) const {
    const std::string& label = labels_[node.source];
    const bool is_file = !label.starts_with("env ") && !label.starts_with('-');
    return is_file && node.line > 0 ? fmt::format("{}:{}", label, node.line) : label;
}

}  // namespace nexa::config
