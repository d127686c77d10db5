// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace nexa {

/// How many slips lie between two names: letters left out, added, changed, or two neighbors swapped
/// (Damerau–Levenshtein, restricted). Case and the difference of '-' and '_' do not count.
std::size_t name_distance(std::string_view a, std::string_view b);

/// The candidate that was most likely meant by `name`, to be shown as "did you mean '…'?". Empty if
/// none is near: more than a third of the letters differ, or the name is too long to be a slip. Of
/// equally near ones, the first.
std::optional<std::string_view> nearest(
    std::string_view name, std::span<const std::string_view> candidates
);

}  // namespace nexa
