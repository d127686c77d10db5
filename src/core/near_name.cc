// SPDX-License-Identifier: Apache-2.0
#include "core/near_name.h"

#include <algorithm>
#include <array>

namespace nexa {

namespace {

// Names are ours and short; a longer one comes from outside and is nobody's slip of the pen.
constexpr std::size_t kLettersMax = 64;

char folded(char c) {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<char>(c - 'A' + 'a');
    }
    return c == '-' ? '_' : c;
}

}  // namespace

std::size_t name_distance(std::string_view a, std::string_view b) {
    if (a.size() > kLettersMax || b.size() > kLettersMax) {
        return std::max(a.size(), b.size());
    }
    using Row = std::array<std::size_t, kLettersMax + 1>;
    Row two_back{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        two_back = last;
        last = row;
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1])) {
                row[j] = std::min(row[j], two_back[j - 2] + 1);
            }
        }
    }
    return row[b.size()];
}

std::optional<std::string_view> nearest(
    std::string_view name, std::span<const std::string_view> candidates
) {
    std::optional<std::string_view> best;
    if (name.empty() || name.size() > kLettersMax) {
        return best;
    }
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = name_distance(name, candidate);
        // With one or two letters, everything short is one slip away from everything else.
        if (distance < best_distance && distance < candidate.size()) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace nexa
