// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "data/exact_dedup.h"
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

/// Draws splits as split_of() does, but leaves none empty in a small dataset: see its groups, in
/// any order, then ask. Of `kGroupsForAll` groups or more, the one that came nearest to a split
/// which drew nothing belongs there; training has a group as soon as there is one. Depends on the
/// set of groups alone. One thread.
class SplitDraw {
public:
    static constexpr std::size_t kGroupsForAll = 10;

    /// Errors: as of split_of().
    static Result<SplitDraw> create(const SplitShares& shares, std::uint64_t seed);

    void see(std::string_view group_key);
    /// Every split has drawn a group: those seen from here on change nothing.
    bool is_settled() const { return drew_[0] && drew_[1] && drew_[2]; }
    Split split_of(std::string_view group_key) const;

private:
    struct Group {
        double point = 0;  ///< where in [0, 1) it fell
        Hash128 hash;

        friend auto operator<=>(const Group&, const Group&) = default;
    };

    SplitDraw(const std::array<double, 3>& shares, std::uint64_t seed);
    Group group_of(std::string_view key) const;
    Split drawn_by(const Group& group) const;

    std::array<double, 3> shares_;  // by Split, adding up to 1
    std::uint64_t seed_;
    std::array<bool, 3> drew_;
    std::set<Hash128> groups_;  // as many as decide
    std::optional<Group> first_;
    std::array<std::optional<Group>, 2> last_of_train_;  // the last and the one before it
};

/// The same as split_of() with shares met as closely as whole groups allow, for a dataset in
/// memory: groups in a random order, each to the split that is furthest below its share of rows.
/// `group_of_row` holds each row's group; the result holds each row's split. Errors: as above.
Result<std::vector<Split>> split_rows(
    std::span<const std::string_view> group_of_row, const SplitShares& shares, std::uint64_t seed
);

}  // namespace nexa::data
