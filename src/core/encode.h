// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.h"
#include "core/json_writer.h"
#include "core/type_info.h"
#include "core/value_node.h"

namespace nexa {

/// Writes `value`, an object of `type`, where the writer stands. `rules` are those of its field.
void write_value(
    JsonWriter& out,
    const void* value,
    const TypeInfo& type,
    const FieldRules& rules,
    SecretFields secrets = SecretFields::kShow
);

/// Writes a tree of values where the writer stands.
void write_node(JsonWriter& out, const ValueNode& node);

/// True for an empty optional and for a text form or JSON that is not set: left out when written.
bool is_unset(const void* value, const TypeInfo& type);

}  // namespace nexa
