// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow_document.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/document_file.h"
#include "core/json.h"
#include "core/utf8.h"

namespace nexa::cli {

namespace {

/// What is JSON is that, all else a text: epochs=3, dataset_uri=ds_1.
ValueNode value_of(std::string_view text) {
    auto parsed = parse_json(text);
    return parsed ? *std::move(parsed)
                  : ValueNode{.kind = ValueNode::Kind::kString, .text = std::string(text)};
}

Status add_inputs(const std::vector<std::string>& sets, ValueNode& tree) {
    const ValueNode* given = tree.find("inputs");
    ValueNode inputs = given != nullptr ? *given : ValueNode{.kind = ValueNode::Kind::kObject};
    for (const std::string& assignment : sets) {
        const std::size_t equals = assignment.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Error::invalid_argument("'{}' is no NAME=VALUE", quotable(assignment))
                .at("--set");
        }
        put(inputs,
            assignment.substr(0, equals),
            value_of(std::string_view(assignment).substr(equals + 1)));
    }
    if (!sets.empty()) {
        inputs.raw = {};
        put(tree, "inputs", std::move(inputs));
    }
    return {};
}

}  // namespace

void put(ValueNode& object, const std::string& key, ValueNode value) {
    const auto found = std::ranges::find(object.keys, key);
    if (found != object.keys.end()) {
        object.items[static_cast<std::size_t>(found - object.keys.begin())] = std::move(value);
        return;
    }
    object.keys.push_back(key);
    object.items.push_back(std::move(value));
}

Result<WorkflowDocument> read_workflow_document(
    CliContext& context,
    const std::string& what,
    const std::vector<std::string>& sets,
    const std::string& name
) {
    WorkflowDocument document;
    std::error_code ignored;
    const bool is_file = what == "-" || what.find_first_of("./") != std::string::npos ||
                         std::filesystem::is_regular_file(what, ignored);
    if (is_file) {
        document.source = what == "-" ? "stdin" : what;
        TRY(document.text, read_document(context, what));
        TRY(document.tree, parse_document(document.text, document.source));
    } else {
        put(document.tree, "template", {.kind = ValueNode::Kind::kString, .text = what});
    }
    TRY_STATUS(add_inputs(sets, document.tree));
    if (!name.empty()) {
        put(document.tree, "name", {.kind = ValueNode::Kind::kString, .text = name});
    }
    return document;
}

}  // namespace nexa::cli
