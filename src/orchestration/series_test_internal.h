// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/metrics.h"

namespace nexa::orchestration {

/// Series of one metric: the values of its labels, a space between them -> count.
inline std::map<std::string, double> series_of(
    const MetricRegistry& registry, std::string_view name
) {
    std::map<std::string, double> found;
    for (const FamilySnapshot& family : registry.snapshot()) {
        for (const SeriesSnapshot& series : family.series) {
            if (family.name == name) {
                std::string key;
                for (const auto& [label, value] : series.labels) {
                    key += (key.empty() ? "" : " ") + value;
                }
                found[key] = std::get<double>(series.value);
            }
        }
    }
    return found;
}

}  // namespace nexa::orchestration
