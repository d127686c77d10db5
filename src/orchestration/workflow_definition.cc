// SPDX-License-Identifier: Apache-2.0
#include "orchestration/workflow_definition.h"

#include <algorithm>
#include <set>

#include "core/check.h"
#include "core/json.h"
#include "core/near_name.h"
#include "core/utf8.h"
#include "orchestration/workflow_spec_check_internal.h"
#include "orchestration/workflow_templates.h"
#include "protocol/job_outputs.h"
#include "protocol/workflow_views.h"

namespace nexa::orchestration {

namespace {

using Kind = ValueNode::Kind;

constexpr std::size_t kNameMax = 64;

bool is_name(std::string_view text) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    };
    // An expression has to tell it from a number.
    return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, is_plain) &&
           (text.front() < '0' || text.front() > '9') && text.front() != '-';
}

std::string near_hint(std::string_view name, const std::vector<std::string_view>& names) {
    const auto near = nearest(name, names);
    return near ? fmt::format("did you mean '{}'?", *near)
                : fmt::format("there are {}", fmt::join(names, ", "));
}

/// Steps in the order in which they were written, with needs as names.
struct Draft {
    StepDefinition step;
    std::set<std::size_t> needs;
    const ValueNode* node = nullptr;
};

class Reader {
public:
    Reader(const ValueNode& tree, std::string_view source) : tree_(tree), source_(source) {}

    Result<WorkflowDefinition> read() {
        protocol::WorkflowSpec spec;
        const auto faults =
            decode(tree_, type_info<protocol::WorkflowSpec>(), &spec, UnknownKeys::kRefuse);
        if (!faults.empty()) {
            return faults.front().in(source_);
        }
        definition_.name = spec.name;
        definition_.template_name = spec.template_name;
        definition_.inputs = {.kind = Kind::kObject};
        if (const ValueNode* inputs = tree_.find("inputs")) {
            definition_.inputs = settled(*inputs);
        }
        const ValueNode* steps = tree_.find("steps");
        if (steps == nullptr || steps->items.empty()) {
            return located(
                Error::invalid_argument("a workflow has at least one step"), tree_, "steps"
            );
        }
        for (std::size_t i = 0; i < steps->keys.size(); ++i) {
            TRY_STATUS(add(steps->keys[i], steps->items[i], spec.steps.at(steps->keys[i])));
        }
        for (Draft& draft : drafts_) {
            TRY_STATUS(connect(draft));
        }
        TRY_STATUS(put_in_order());
        definition_.text = {to_json(settled(tree_))};
        return std::move(definition_);
    }

private:
    Error located(Error error, const ValueNode& node, std::string_view path) const {
        if (!path.empty()) {
            error = std::move(error).at(path);
        }
        if (!source_.empty() && node.line > 0) {
            error.param = fmt::format("{}:{}: {}", source_, node.line, error.param);
        }
        return error;
    }
    Error at_field(Error error, const Draft& draft, std::string_view field) const {
        const ValueNode* node = draft.node->find(field);
        error = std::move(error).at(field);
        return located(
            std::move(error), node != nullptr ? *node : *draft.node, "steps." + draft.step.name
        );
    }

    Status add(
        const std::string& name, const ValueNode& node, const protocol::WorkflowStepSpec& spec
    ) {
        if (!is_name(name)) {
            return located(
                Error::invalid_argument(
                    "a step's name has up to {} letters, digits, _ and -, and begins with a letter",
                    kNameMax
                ),
                node,
                "steps." + quotable(name)
            );
        }
        Draft draft{.node = &node};
        draft.step = {
            .name = name,
            .spec = {.kind = Kind::kObject},
            .stops_on_failure = spec.on_failure == "stop",
            .retries = spec.retries,
            .pool = spec.pool,
            .priority = spec.priority,
            .max_attempts = spec.max_attempts,
            .gpus = spec.gpus,
            .memory_bytes = spec.memory_bytes,
        };
        auto type = protocol::find_job_type(spec.job_type);
        if (!type) {
            Error error = std::move(type).error();
            error.param.clear();
            return at_field(std::move(error), draft, "job_type");
        }
        draft.step.type = *type;
        if (const ValueNode* given = node.find("spec"); given != nullptr) {
            if (given->kind != Kind::kObject) {
                return at_field(Error::invalid_argument("must be an object"), draft, "spec");
            }
            draft.step.spec = settled(*given);
        }
        TRY_STATUS(read_condition(draft));
        TRY_STATUS(read_matrix(draft));
        drafts_.push_back(std::move(draft));
        return {};
    }

    Status read_condition(Draft& draft) const {
        const ValueNode* node = draft.node->find("if");
        if (node == nullptr || node->kind == Kind::kNull) {
            return {};
        }
        if (node->kind == Kind::kArray || node->kind == Kind::kObject) {
            return at_field(Error::invalid_argument("must be an expression"), draft, "if");
        }
        std::string_view text = node->text;
        if (text.starts_with("${{") && text.ends_with("}}")) {
            text = text.substr(3, text.size() - 5);
        }
        auto expression = Expression::parse(text);
        if (!expression) {
            return at_field(std::move(expression).error(), draft, "if");
        }
        draft.step.condition = {.text = std::string(text), .expression = *std::move(expression)};
        return {};
    }

    Status read_matrix(Draft& draft) const {
        const ValueNode* node = draft.node->find("matrix");
        if (node == nullptr) {
            return {};
        }
        std::size_t product = 1;
        for (std::size_t i = 0; i < node->keys.size(); ++i) {
            const ValueNode& values = node->items[i];
            const bool is_list = values.kind == Kind::kArray && !values.items.empty();
            if (!is_name(node->keys[i]) || (!is_list && !has_expressions(values))) {
                return at_field(
                    Error::invalid_argument(
                        "must be a list of values, or an expression that gives one"
                    )
                        .at(quotable(node->keys[i])),
                    draft,
                    "matrix"
                );
            }
            product *= is_list ? values.items.size() : 1;
            if (product > kWorkflowBranchesMax) {
                return at_field(
                    Error::invalid_argument("makes more than {} jobs", kWorkflowBranchesMax),
                    draft,
                    "matrix"
                );
            }
            draft.step.matrix.emplace_back(node->keys[i], settled(values));
        }
        return {};
    }

    std::vector<std::string_view> step_names() const {
        std::vector<std::string_view> names;
        names.reserve(drafts_.size());
        for (const Draft& draft : drafts_) {
            names.push_back(draft.step.name);
        }
        return names;
    }
    Result<std::size_t> find_step(std::string_view name) const {
        const auto found = std::ranges::find(drafts_, name, [](const Draft& draft) {
            return std::string_view(draft.step.name);
        });
        if (found == drafts_.end()) {
            return Error::invalid_argument("there is no step '{}'", quotable(name))
                .hint(near_hint(name, step_names()));
        }
        return static_cast<std::size_t>(found - drafts_.begin());
    }

    /// Everything that names another step, and what the spec says.
    Status connect(Draft& draft) const {
        if (const ValueNode* needs = draft.node->find("needs")) {
            for (const ValueNode& name : needs->items) {
                auto step = find_step(name.text);
                if (!step) {
                    return at_field(std::move(step).error(), draft, "needs");
                }
                draft.needs.insert(*step);
            }
        }
        if (draft.step.condition) {
            TRY_STATUS(connect(draft, draft.step.condition->expression, "if", true));
        }
        for (const auto& [name, values] : draft.step.matrix) {
            TRY_STATUS(connect_all(draft, values, "matrix", name));
        }
        for (std::size_t i = 0; i < draft.step.spec.keys.size(); ++i) {
            TRY_STATUS(connect_all(draft, draft.step.spec.items[i], "spec", draft.step.spec.keys[i])
            );
        }
        if (Status good = check_step_spec(draft.step, definition_.inputs); !good) {
            const ValueNode* spec = draft.node->find("spec");
            Error error = std::move(good).error();
            const std::string field = error.param.substr(0, error.param.find_first_of(".["));
            const ValueNode* node = spec != nullptr ? spec->find(field) : nullptr;
            return located(
                std::move(error).at("spec"),
                node != nullptr ? *node : (spec != nullptr ? *spec : *draft.node),
                "steps." + draft.step.name
            );
        }
        return {};
    }

    Status connect_all(
        Draft& draft, const ValueNode& values, std::string_view field, std::string_view name
    ) const {
        auto found = expressions_in(values);
        Status status;
        if (!found) {
            status = std::move(found).error();
        } else {
            for (const Expression& expression : *found) {
                status = connect(draft, expression, {}, field == "spec");
                if (!status) {
                    break;
                }
            }
        }
        if (status) {
            return {};
        }
        Error error = std::move(status).error().at(name).at(field);
        const ValueNode* node = draft.node->find(field);
        if (node != nullptr && node->find(name) != nullptr) {
            node = node->find(name);
        }
        return located(
            std::move(error), node != nullptr ? *node : *draft.node, "steps." + draft.step.name
        );
    }

    /// `field` empty: the caller says where.
    Status connect(
        Draft& draft, const Expression& expression, std::string_view field, bool has_matrix
    ) const {
        for (const ReferencePath& path : expression.references()) {
            auto step = resolve(draft, path, has_matrix && field != "if");
            if (!step) {
                return field.empty() ? Status(std::move(step).error())
                                     : Status(at_field(std::move(step).error(), draft, field));
            }
            if (const std::optional<std::size_t> need = *std::move(step)) {
                draft.needs.insert(*need);
            }
        }
        return {};
    }

    /// The step that a reference needs, if it needs one.
    Result<std::optional<std::size_t>> resolve(
        const Draft& draft, const ReferencePath& path, bool has_matrix
    ) const {
        if (path.front() == "inputs" && path.size() > 1) {
            return resolve_name(path[1], "input", definition_.inputs.keys);
        }
        if (path.front() == "matrix" && path.size() > 1 && has_matrix) {
            std::vector<std::string> names;
            names.reserve(draft.step.matrix.size());
            for (const auto& [name, values] : draft.step.matrix) {
                names.push_back(name);
            }
            return resolve_name(path[1], "matrix value", names);
        }
        if (path.front() != "steps" || path.size() < 3) {
            return Error::invalid_argument("cannot refer to '{}'", fmt::join(path, "."))
                .hint("give steps.NAME.outputs.FIELD, inputs.NAME or, in a spec, matrix.NAME");
        }
        TRY(const std::size_t step, find_step(path[1]));
        if (path[2] == "outputs") {
            TRY_STATUS(check_output(drafts_[step].step, path));
        } else if (path[2] != "status" && path[2] != "job_id") {
            return Error::invalid_argument("a step has no '{}'", quotable(path[2]))
                .hint("it has outputs, status and job_id");
        }
        return std::optional(step);
    }

    static Result<std::optional<std::size_t>> resolve_name(
        const std::string& name, std::string_view what, const std::vector<std::string>& names
    ) {
        if (std::ranges::find(names, name) == names.end()) {
            return Error::invalid_argument("there is no {} '{}'", what, quotable(name))
                .hint(near_hint(name, {names.begin(), names.end()}));
        }
        return std::nullopt;
    }

    static Status check_output(const StepDefinition& step, const ReferencePath& path) {
        const StructInfo* outputs = protocol::job_outputs(step.type->name);
        NEXA_CHECK(outputs != nullptr);  // a test says that each type has its row
        if (path.size() == 3 || outputs->find(path[3]) != nullptr) {
            return {};
        }
        std::vector<std::string_view> names;
        for (const FieldInfo& field : outputs->fields) {
            names.push_back(field.rules.name);
        }
        return Error::invalid_argument(
                   "step '{}' ({}) has no output '{}'",
                   step.name,
                   step.type->name,
                   quotable(path[3])
        )
            .hint(near_hint(path[3], names));
    }

    /// Each step behind those it needs, else as they were written.
    Status put_in_order() {
        std::vector<std::size_t> place(drafts_.size(), SIZE_MAX);
        std::size_t count = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t i = 0; i < drafts_.size(); ++i) {
                const bool is_free = std::ranges::all_of(drafts_[i].needs, [&](std::size_t need) {
                    return place[need] != SIZE_MAX;
                });
                if (place[i] == SIZE_MAX && is_free) {
                    place[i] = count++;
                    StepDefinition step = std::move(drafts_[i].step);
                    for (const std::size_t need : drafts_[i].needs) {
                        step.needs.push_back(place[need]);
                    }
                    std::ranges::sort(step.needs);
                    definition_.steps.push_back(std::move(step));
                    moved = true;
                }
            }
        }
        return count == drafts_.size() ? Status() : Status(circle_among(place));
    }

    Error circle_among(const std::vector<std::size_t>& place) const {
        const auto is_left = [&](std::size_t i) { return place[i] == SIZE_MAX; };
        std::size_t at = 0;
        while (!is_left(at)) {
            ++at;
        }
        // Whatever is left needs something that is left: going on from need to need comes round.
        std::vector<std::size_t> path;
        while (std::ranges::find(path, at) == path.end()) {
            path.push_back(at);
            at = *std::ranges::find_if(drafts_[at].needs, is_left);
        }
        std::vector<std::string_view> names;
        for (auto step = std::ranges::find(path, at); step != path.end(); ++step) {
            names.push_back(drafts_[*step].step.name);
        }
        names.push_back(names.front());
        return at_field(
            Error::invalid_argument(
                "the steps go round in a circle: {}", fmt::join(names, " needs ")
            )
                .hint("a step cannot need what needs it"),
            drafts_[at],
            "needs"
        );
    }

    const ValueNode& tree_;
    std::string_view source_;
    WorkflowDefinition definition_;
    std::vector<Draft> drafts_;
};

void put(ValueNode& object, const std::string& key, ValueNode value) {
    const auto found = std::ranges::find(object.keys, key);
    if (found != object.keys.end()) {
        object.items[static_cast<std::size_t>(found - object.keys.begin())] = std::move(value);
        return;
    }
    object.keys.push_back(key);
    object.items.push_back(std::move(value));
}

/// The template's defaults with what was given over them.
Result<ValueNode> merged_inputs(
    const WorkflowTemplate& chosen, ValueNode defaults, const ValueNode* given
) {
    const std::vector<std::string_view> names(defaults.keys.begin(), defaults.keys.end());
    for (std::size_t i = 0; given != nullptr && i < given->keys.size(); ++i) {
        if (defaults.find(given->keys[i]) == nullptr) {
            return Error::invalid_argument("{} has no such input", chosen.name)
                .at(quotable(given->keys[i]))
                .at("inputs")
                .hint(near_hint(given->keys[i], names));
        }
        put(defaults, given->keys[i], given->items[i]);
    }
    for (const std::string_view name : chosen.required) {
        if (defaults.find(name)->kind == Kind::kNull) {
            return Error::invalid_argument("is missing").at(name).at("inputs");
        }
    }
    return defaults;
}

Result<ValueNode> expanded(const ValueNode& submission, const std::string& template_name) {
    auto chosen = find_workflow_template(template_name);
    if (!chosen) {
        return std::move(chosen).error().at("template");
    }
    if (submission.find("steps") != nullptr) {
        return Error::invalid_argument("a template brings its own steps").at("steps");
    }
    TRY(ValueNode tree, parse_json((*chosen)->definition));
    const ValueNode* defaults = tree.find("inputs");
    NEXA_CHECK(defaults != nullptr);  // a test reads every template
    TRY(ValueNode inputs, merged_inputs(**chosen, *defaults, submission.find("inputs")));
    put(tree, "inputs", std::move(inputs));
    put(tree, "template", {.kind = Kind::kString, .text = template_name});
    if (const ValueNode* name = submission.find("name")) {
        put(tree, "name", *name);
    }
    return settled(std::move(tree));
}

}  // namespace

std::optional<std::size_t> WorkflowDefinition::find(std::string_view step) const {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].name == step) {
            return i;
        }
    }
    return std::nullopt;
}

Result<WorkflowDefinition> read_workflow(const ValueNode& submission, std::string_view source) {
    protocol::WorkflowSpec spec;
    const auto faults =
        decode(submission, type_info<protocol::WorkflowSpec>(), &spec, UnknownKeys::kRefuse);
    if (!faults.empty()) {
        return faults.front().in(source);
    }
    if (!spec.template_name) {
        return Reader(submission, source).read();
    }
    TRY(const ValueNode tree, expanded(submission, *spec.template_name));
    return Reader(tree, {}).read();
}

Result<WorkflowDefinition> read_workflow(const JsonText& text) {
    TRY(const ValueNode tree, parse_json(text.text));
    return Reader(tree, {}).read();
}

}  // namespace nexa::orchestration
