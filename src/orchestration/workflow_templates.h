// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "core/result.h"

namespace nexa::orchestration {

/// A workflow that comes with the product.
struct WorkflowTemplate {
    std::string_view name;
    std::string_view summary;
    std::string_view definition;                 ///< JSON, with the defaults of its inputs
    std::span<const std::string_view> required;  ///< inputs that have to be given
};

std::span<const WorkflowTemplate> workflow_templates();

/// Errors: kNotFound with the near name and the list.
Result<const WorkflowTemplate*> find_workflow_template(std::string_view name);

}  // namespace nexa::orchestration
