// SPDX-License-Identifier: Apache-2.0
#include "api/workflow_body.h"

#include <algorithm>
#include <array>

#include "config/yaml_tree.h"

namespace nexa::api {

namespace {

constexpr std::array<std::string_view, 3> kYaml{
    "application/yaml", "text/yaml", "application/x-yaml"
};

bool is_yaml(std::string_view content_type) {
    std::string media_type(content_type.substr(0, content_type.find(';')));
    std::ranges::transform(media_type, media_type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    while (media_type.ends_with(' ')) {
        media_type.pop_back();
    }
    return std::ranges::find(kYaml, media_type) != kYaml.end();
}

/// A graph is small; what is nested deeper, or unfolds to more, was not written by hand.
constexpr ParseLimits kLimits{
    .bytes_max = kWorkflowBytesMax, .depth_max = 32, .values_max = 100'000
};

void forget_text(ValueNode& node) {
    node.raw = {};
    for (ValueNode& item : node.items) {
        forget_text(item);
    }
}

}  // namespace

std::vector<std::string> workflow_content_types() {
    std::vector<std::string> types{"application/json"};
    types.insert(types.end(), kYaml.begin(), kYaml.end());
    return types;
}

Result<WorkflowBody> read_workflow_body(const net::RequestHead& head, const std::string& body) {
    if (is_yaml(head.headers.get("Content-Type"))) {
        TRY(ValueNode tree, config::parse_yaml(body, "yaml", kLimits));
        return WorkflowBody{.tree = std::move(tree), .source = "yaml"};
    }
    TRY(ValueNode tree, parse_json(body, kLimits));
    forget_text(tree);
    return WorkflowBody{.tree = std::move(tree)};
}

}  // namespace nexa::api
