// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/row_meta.h"

#include <algorithm>

#include "core/json_writer.h"

namespace nexa::pipelines {

std::string_view meta_of(const RowMeta& meta, std::string_view name) {
    const auto found = std::ranges::find(meta, name, &RowMeta::value_type::first);
    return found == meta.end() ? std::string_view() : std::string_view(found->second);
}

std::string meta_json(const RowMeta& meta) {
    JsonWriter writer;
    writer.begin_object();
    for (const auto& [name, value] : meta) {
        writer.key(name);
        writer.string(value);
    }
    writer.end_object();
    return writer.take();
}

}  // namespace nexa::pipelines
