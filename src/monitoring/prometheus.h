// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/metrics.h"

namespace nexa::monitoring {

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

/// Metrics in the Prometheus text format, version 0.0.4: for each family its help, its kind and a
/// line per series; families without series are left out. Label values and help may hold anything:
/// they are escaped, and what is no UTF-8 becomes U+FFFD. Exemplars are not in this format.
std::string to_prometheus(std::span<const FamilySnapshot> families);

}  // namespace nexa::monitoring
