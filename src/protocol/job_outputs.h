// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/type_info.h"

namespace nexa::protocol {

/// What a completed job of the type answers, as its field list: which outputs a step of a workflow
/// has. Null for a type that is not in job_types().
const StructInfo* job_outputs(std::string_view job_type);

}  // namespace nexa::protocol
