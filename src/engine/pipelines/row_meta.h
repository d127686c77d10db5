// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nexa::pipelines {

/// Texts about a row, by name.
using RowMeta = std::vector<std::pair<std::string, std::string>>;

/// The text of that name; empty if there is none.
std::string_view meta_of(const RowMeta& meta, std::string_view name);

/// All of it as a JSON object, in its order.
std::string meta_json(const RowMeta& meta);

}  // namespace nexa::pipelines
