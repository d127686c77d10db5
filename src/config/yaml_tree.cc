// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <algorithm>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "core/utf8.h"

namespace nexa::config {

namespace {

using Kind = ValueNode::Kind;

class YamlConverter {
public:
    YamlConverter(std::string_view name, const ParseLimits& limits)
        : name_(name), limits_(limits) {}

    Result<ValueNode> convert(const YAML::Node& yaml) {
        ValueNode node;
        TRY_STATUS(convert(yaml, node, 0));
        return node;
    }

private:
    template <class... Args>
    Error refused(const YAML::Node& yaml, fmt::format_string<Args...> format, Args&&... args)
        const {
        return Error::invalid_argument(format, std::forward<Args>(args)...)
            .at(fmt::format("{}:{}", name_, yaml.Mark().line + 1));
    }

    Status convert(const YAML::Node& yaml, ValueNode& node, std::size_t depth) {
        node.line = static_cast<std::uint32_t>(std::max(0, yaml.Mark().line + 1));
        if (++values_ > limits_.values_max) {
            return refused(yaml, "holds more than {} values", limits_.values_max);
        }
        if (depth > limits_.depth_max) {
            return refused(yaml, "is nested deeper than {}", limits_.depth_max);
        }
        switch (yaml.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null:
                node.kind = Kind::kNull;
                return {};
            case YAML::NodeType::Scalar:
                // yaml-cpp marks what stood in quotes, or was a block, with "!".
                node.kind = yaml.Tag() == "?" ? Kind::kPlain : Kind::kString;
                node.text = yaml.Scalar();
                return {};
            case YAML::NodeType::Sequence:
                return convert_list(yaml, node, depth);
            case YAML::NodeType::Map:
                return convert_map(yaml, node, depth);
        }
        return refused(yaml, "is of an unknown kind");
    }

    Status convert_list(const YAML::Node& yaml, ValueNode& node, std::size_t depth) {
        node.kind = Kind::kArray;
        for (const YAML::Node& item : yaml) {
            TRY_STATUS(convert(item, node.items.emplace_back(), depth + 1));
        }
        return {};
    }

    Status convert_map(const YAML::Node& yaml, ValueNode& node, std::size_t depth) {
        node.kind = Kind::kObject;
        for (const auto& entry : yaml) {
            if (!entry.first.IsScalar()) {
                return refused(entry.first, "has a key that is not one word");
            }
            node.keys.push_back(entry.first.Scalar());
            ValueNode& item = node.items.emplace_back();
            TRY_STATUS(convert(entry.second, item, depth + 1));
            // The key's line, not that of a block that may begin far below it.
            item.line = static_cast<std::uint32_t>(std::max(0, entry.first.Mark().line + 1));
        }
        std::vector<std::string_view> keys(node.keys.begin(), node.keys.end());
        std::ranges::sort(keys);
        if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
            const auto second = std::find(node.keys.rbegin(), node.keys.rend(), *twice);
            const auto index = static_cast<std::size_t>(node.keys.rend() - second) - 1;
            return Error::invalid_argument("'{}' stands twice in one mapping", quotable(*twice))
                .at(fmt::format("{}:{}", name_, node.items[index].line));
        }
        return {};
    }

    std::string_view name_;
    const ParseLimits& limits_;
    std::size_t values_ = 0;
};

Result<YAML::Node> read_document(std::string_view text, std::string_view name) {
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
        if (documents.size() > 1) {
            return Error::invalid_argument("holds {} documents, one is allowed", documents.size())
                .at(fmt::format("{}:{}", name, documents[1].Mark().line + 1));
        }
        return documents.empty() ? YAML::Node() : documents.front();
    } catch (const YAML::Exception& exception) {
        return Error::malformed("is no YAML: {}", exception.msg)
            .at(fmt::format("{}:{}", name, exception.mark.line + 1));
    }
}

}  // namespace

Result<ValueNode> parse_yaml(
    std::string_view text, std::string_view name, const ParseLimits& limits
) {
    if (text.size() > limits.bytes_max) {
        return Error::invalid_argument(
                   "has {} bytes, at most {} are allowed", text.size(), limits.bytes_max
        )
            .at(name);
    }
    if (!is_utf8(text)) {
        return Error::malformed("is not UTF-8").at(name);
    }
    TRY(const YAML::Node yaml, read_document(text, name));
    TRY(ValueNode node, YamlConverter(name, limits).convert(yaml));
    if (node.kind == Kind::kNull) {
        node.kind = Kind::kObject;
    }
    return node;
}

}  // namespace nexa::config
