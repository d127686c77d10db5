// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_spec_check_internal.h"

#include <algorithm>
#include <set>

#include "core/json.h"

namespace nexa::orchestration {

namespace {

using Kind = ValueNode::Kind;

ValueNode number(std::string text) {
    return {.kind = Kind::kNumber, .text = std::move(text)};
}

ValueNode word_for(const FieldRules& rules) {
    std::string text(std::max<std::size_t>(rules.length_min, 1), 'x');
    if (!rules.choices.empty()) {
        text = *rules.choices.begin();
    } else if (rules.example.kind == RuleValue::Kind::kText) {
        text = rules.example.text;
    }
    return {.kind = Kind::kString, .text = std::move(text)};
}

/// A value that the field takes, in place of one that is not known yet; nothing for a kind that has
/// none so simple.
std::optional<ValueNode> stand_in(const FieldInfo& field) {
    const TypeInfo& type = without_optional(*field.type());
    const RuleValue& least = field.rules.least;
    switch (type.kind) {
        case TypeKind::kBool:
            return ValueNode{.kind = Kind::kBool, .text = "false"};
        case TypeKind::kInteger:
            return number(least.given() ? fmt::format("{}", least.whole) : "0");
        case TypeKind::kReal:
            return number(least.given() ? fmt::format("{}", least.real) : "0");
        case TypeKind::kString:
            return word_for(field.rules);
        case TypeKind::kEnum:
            return ValueNode{.kind = Kind::kString, .text = std::string(type.names.front().name)};
        default:
            return std::nullopt;
    }
}

/// The spec with stand-ins, and in which fields they stand.
struct Probe {
    ValueNode spec{.kind = Kind::kObject};
    std::set<std::string, std::less<>> open;
    bool is_whole = true;  ///< false: a field that must be there has no stand-in
};

Result<Probe> probe_of(const StepDefinition& step, const Lookup& lookup) {
    const StructInfo& fields = *step.type->spec().structure();
    Probe probe;
    const auto add = [&](const std::string& key, ValueNode value) {
        probe.spec.keys.push_back(key);
        probe.spec.items.push_back(std::move(value));
    };
    for (std::size_t i = 0; i < step.spec.keys.size(); ++i) {
        const std::string& key = step.spec.keys[i];
        const ValueNode& item = step.spec.items[i];
        auto substituted = substitute(item, lookup);
        if (!substituted) {
            return std::move(substituted).error().at(key);
        }
        const std::optional<ValueNode> value = *std::move(substituted);
        const FieldInfo* field = fields.find(key);
        if (value && has_expressions(item) && value->kind == Kind::kNull) {
            continue;
        }
        if (value || field == nullptr) {
            add(key, value ? *value : item);
            continue;
        }
        probe.open.insert(key);
        if (auto known = stand_in(*field)) {
            add(key, *std::move(known));
        } else {
            probe.is_whole = probe.is_whole && !field->rules.is_required;
        }
    }
    return probe;
}

}  // namespace

bool never_runs(const StepDefinition& step, const Lookup& lookup) {
    if (!step.condition) {
        return false;
    }
    const auto evaluated = step.condition->expression.evaluate(lookup);
    const std::optional<ValueNode> holds = evaluated ? *evaluated : std::nullopt;
    return holds && !is_true(*holds);
}

Status check_step_spec(const StepDefinition& step, const ValueNode& inputs) {
    const Lookup lookup = [&](const ReferencePath& path) -> std::optional<ValueNode> {
        return path.front() == "inputs" ? std::optional(value_at(inputs, path, 1)) : std::nullopt;
    };
    if (never_runs(step, lookup)) {
        return {};
    }
    TRY(const Probe probe, probe_of(step, lookup));
    if (!probe.is_whole) {
        return {};
    }
    const auto checked = step.type->canonical_node(probe.spec, {});
    if (checked) {
        return {};
    }
    // What fields are to one another is known when all are.
    const std::string& place = checked.error().param;
    const bool is_open = place.empty()
                             ? !probe.open.empty()
                             : probe.open.contains(place.substr(0, place.find_first_of(".[")));
    return is_open ? Status() : Status(checked.error());
}

Result<ValueNode> known(Result<std::optional<ValueNode>> value) {
    TRY(std::optional<ValueNode> found, std::move(value));
    if (!found) {  // all that a step refers to has ended before it is judged
        return Error::internal("a reference of the step is not known yet");
    }
    return *std::move(found);
}

Result<JsonText> payload_of(const StepDefinition& step, const Lookup& lookup) {
    ValueNode spec{.kind = Kind::kObject};
    for (std::size_t i = 0; i < step.spec.keys.size(); ++i) {
        auto value = known(substitute(step.spec.items[i], lookup));
        if (!value) {
            return std::move(value).error().at(step.spec.keys[i]);
        }
        if (value->kind == Kind::kNull && has_expressions(step.spec.items[i])) {
            continue;
        }
        spec.keys.push_back(step.spec.keys[i]);
        spec.items.push_back(*std::move(value));
    }
    return step.type->canonical_node(spec, {});
}

}  // namespace nexa::orchestration
