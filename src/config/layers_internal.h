// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/type_info.h"
#include "core/value_node.h"

namespace nexa::config {

/// A setting, or a part of the tree that holds some, found by its path.
struct Target {
    const TypeInfo* type = nullptr;
    const FieldRules* rules = nullptr;
    std::vector<std::string> path;  ///< with names for aliases
};

/// Splits "db.url" at its dots.
std::vector<std::string> split_path(std::string_view path, std::string_view separator);

/// What lies at that path; empty if there is no such field.
std::optional<Target> resolve(const TypeInfo& type, std::span<const std::string> path);

/// The path of the first secret that `node` sets; empty if it sets none.
std::optional<std::string> find_secret(const ValueNode& node, const TypeInfo& type);

/// The layers of one struct's settings, merged into one tree of which every node knows its source.
class Layers {
public:
    explicit Layers(const TypeInfo& type);

    /// A new source, by the name that stands in messages and origins. Errors: kInvalidArgument: too
    /// many.
    Result<std::uint16_t> add_source(std::string label);

    /// Puts `layer` over what is there. Its nodes become those of `source`.
    void merge(ValueNode layer, std::uint16_t source);
    /// The same for one value, given as text.
    Status set(const Target& target, std::string_view text, std::uint16_t source);
    /// The same for a path that names no field: the decoder will say so.
    void set_unknown(std::vector<std::string> path, std::string_view text, std::uint16_t source);

    const ValueNode& tree() const { return tree_; }
    /// "nexa.yaml:12", "env NEXA_DB__URL"; empty if no source says where it stood.
    std::string origin_of(const ValueNode& node) const;

private:
    void put(std::span<const std::string> path, ValueNode node, std::uint16_t source);

    const TypeInfo& type_;
    ValueNode tree_;
    std::vector<std::string> labels_;
};

}  // namespace nexa::config
