// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/type_info.h"
#include "core/value_node.h"

namespace nexa::cli {

/// A flag of a job command, made of one field of the spec.
struct SpecFlag {
    std::string name;  ///< "learning-rate", without the dashes in front
    std::vector<std::string> aliases;
    std::string help;        ///< with unit, range, choices and default
    std::string value_name;  ///< "INT", "REAL", "TEXT"; empty for a switch
    const FieldInfo* field = nullptr;
};

/// One per field that fits in a word: no lists or structs, which go through --set or a file.
std::vector<SpecFlag> spec_flags(const StructInfo& spec);

/// Reads `text` as the value of `field`: words of a text field as they are, else JSON.
/// Errors: kInvalidArgument, at the field, if it cannot be that. Ranges are not checked here.
Result<ValueNode> field_value(const FieldInfo& field, std::string_view text);

/// Puts "key=value" into the object `payload`, over what was there.
/// Errors: kInvalidArgument: no '=', or no such field, with the near name.
Status set_field(const StructInfo& spec, std::string_view assignment, ValueNode& payload);

/// Puts a value into the object `payload`, over what `field`, one of `spec`, had there by its name
/// or by an alias.
void put(const StructInfo& spec, const FieldInfo& field, ValueNode value, ValueNode& payload);

}  // namespace nexa::cli
