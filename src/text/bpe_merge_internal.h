// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/pair_table_internal.h"

namespace nexa::text::internal {

/// Above this many symbols the heap is faster than the scan.
inline constexpr std::size_t kScanSymbolsMax = 48;

/// Applies merges to the symbols of one pretoken, in place: always the lowest rank, the leftmost
/// where it stands more than once, until no pair merges. Both give the same result.
void merge_by_scan(const PairTable& merges, std::vector<std::int32_t>& symbols);  // O(n^2)
void merge_by_heap(const PairTable& merges, std::vector<std::int32_t>& symbols);  // O(n log n)

inline void merge_symbols(const PairTable& merges, std::vector<std::int32_t>& symbols) {
    if (symbols.size() <= kScanSymbolsMax) {
        merge_by_scan(merges, symbols);
    } else {
        merge_by_heap(merges, symbols);
    }
}

}  // namespace nexa::text::internal
