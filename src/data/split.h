// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/generators.h"

namespace nexa::data {

/// Parts of the whole; need not add up to 1, only their ratios count.
struct SplitShares {
    double train = 0.9;
    double validation = 0.05;
    double test = 0.05;
};

/// The split of a row by its group: a document, a conversation, a problem with its twins. Depends
/// on (key, shares, seed) alone, so rows of one group never part, in whichever file or order they
/// come, and growing the dataset moves nobody. Shares are met on average.
/// Errors: kInvalidArgument if a share is negative or no number, or all are zero.
Result<Split> split_of(std::string_view group_key, const SplitShares& shares, std::uint64_t seed);

/// The same with shares met as closely as whole groups allow, for a dataset in memory: groups in
/// a random order, each to the split that is furthest below its share of rows. `group_of_row`
/// holds each row's group; the result holds each row's split.
/// Errors: as above.
Result<std::vector<Split>> split_rows(
    std::span<const std::string_view> group_of_row, const SplitShares& shares, std::uint64_t seed
);

}  // namespace nexa::data
