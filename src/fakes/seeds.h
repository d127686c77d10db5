// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/check.h"

namespace nexa::fakes {

/// The seeds of a test that plays random histories: `count` from `first` on, unless the variable
/// NEXA_SIM_SEEDS=FIRST:COUNT names others, as ./dev check does. For
/// INSTANTIATE_TEST_SUITE_P(Seeds, …, ::testing::ValuesIn(seeds(1, 8))): ./dev check looks for that
/// prefix.
inline std::vector<std::uint64_t> seeds(std::uint64_t first, std::uint64_t count) {
    if (const char* given = std::getenv("NEXA_SIM_SEEDS")) {
        char* rest = nullptr;
        first = std::strtoull(given, &rest, 10);
        NEXA_CHECK(*rest == ':');
        count = std::strtoull(rest + 1, &rest, 10);
        NEXA_CHECK(*rest == '\0' && count > 0);
    }
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t i = 0; i < count; ++i) {
        chosen.push_back(first + i);
    }
    return chosen;
}

}  // namespace nexa::fakes
