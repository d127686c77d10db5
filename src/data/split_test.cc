// SPDX-License-Identifier: Apache-2.0
#include "data/split.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nexa::data {
namespace {

std::array<int, 3> counts_of(const std::vector<Split>& splits) {
    std::array<int, 3> counts{};
    for (const Split split : splits) {
        ++counts[static_cast<std::size_t>(split)];
    }
    return counts;
}

TEST(SplitOf, MeetsTheSharesOnAverageAndDependsOnKeyAndSeedOnly) {
    std::vector<Split> splits;
    int moved = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::string key = "document " + std::to_string(i);
        splits.push_back(split_of(key, {.train = 8, .validation = 1, .test = 1}, 5).value());
        EXPECT_EQ(split_of(key, {.train = 0.8, .validation = 0.1, .test = 0.1}, 5), splits.back());
        moved += split_of(key, {8, 1, 1}, 6).value() != splits.back() ? 1 : 0;
    }
    const auto counts = counts_of(splits);
    EXPECT_NEAR(counts[0], 16000, 250);
    EXPECT_NEAR(counts[1], 2000, 150);
    EXPECT_NEAR(counts[2], 2000, 150);
    EXPECT_GT(moved, 4000);  // another seed is another split
}

TEST(SplitOf, AShareOfZeroTakesNothing) {
    for (int i = 0; i < 2000; ++i) {
        const std::string key = std::to_string(i);
        EXPECT_EQ(split_of(key, {1, 0, 0}, 1), Split::kTrain);
        EXPECT_EQ(split_of(key, {0, 0, 1}, 1), Split::kTest);
        EXPECT_NE(split_of(key, {0.1, 0, 0.7}, 1).value(), Split::kValidation);
    }
}

std::vector<std::string> keys_of(int first, int count) {
    std::vector<std::string> keys;
    for (int i = first; i < first + count; ++i) {
        keys.push_back(fmt::format("row {}", i));
    }
    return keys;
}

std::vector<Split> draw(const std::vector<std::string>& keys, const SplitShares& shares = {}) {
    auto draw = SplitDraw::create(shares, 0).value();
    for (const std::string& key : keys) {
        draw.see(key);
    }
    std::vector<Split> splits;
    for (const std::string& key : keys) {
        splits.push_back(draw.split_of(key));
    }
    return splits;
}

TEST(SplitDraw, OfTenGroupsEverySplitHasOneAndOfNineTheyAreAsDrawn) {
    int short_of_one = 0;
    for (int first = 0; first < 2000; first += 10) {
        const auto counts = counts_of(draw(keys_of(first, 10)));
        EXPECT_GT(counts[0], 0);
        EXPECT_GT(counts[1], 0);
        EXPECT_GT(counts[2], 0);
        const auto nine = keys_of(first, 9);
        const auto splits = draw(nine);
        for (std::size_t i = 0; i < nine.size(); ++i) {
            EXPECT_EQ(splits[i], split_of(nine[i], {}, 0).value());
        }
        short_of_one += std::ranges::count(counts_of(splits), 0) > 0 ? 1 : 0;
    }
    EXPECT_GT(short_of_one, 100);  // so ten would have been, too
}

TEST(SplitDraw, MovesTheNearestGroupsAndNoOther) {
    int moved_in_all = 0;
    for (int first = 0; first < 1200; first += 12) {
        const auto keys = keys_of(first, 12);
        const auto splits = draw(keys);
        std::array<int, 3> drawn{};
        int moved = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const Split alone = split_of(keys[i], {}, 0).value();
            ++drawn[static_cast<std::size_t>(alone)];
            moved += splits[i] != alone ? 1 : 0;
        }
        EXPECT_EQ(moved, (drawn[1] == 0 ? 1 : 0) + (drawn[2] == 0 ? 1 : 0));
        moved_in_all += moved;
    }
    EXPECT_GT(moved_in_all, 50);
}

TEST(SplitDraw, DependsOnTheSetOfGroupsAlone) {
    auto keys = keys_of(0, 11);
    const auto splits = draw(keys);
    auto again = keys;
    again.insert(again.end(), keys.begin(), keys.end());
    std::ranges::reverse(again);
    const auto reversed = draw(again);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(reversed[again.size() - 1 - i], splits[i]);
    }
    // Ten times the same group are one group.
    EXPECT_EQ(counts_of(draw(std::vector<std::string>(50, "same"))), (std::array{50, 0, 0}));
}

TEST(SplitDraw, ASingleGroupIsForTrainingWhateverItDraws) {
    int drawn_elsewhere = 0;
    for (const std::string& key : keys_of(0, 100)) {
        EXPECT_EQ(draw({key}).front(), Split::kTrain);
        drawn_elsewhere += split_of(key, {}, 0).value() != Split::kTrain ? 1 : 0;
    }
    EXPECT_GT(drawn_elsewhere, 0);
}

TEST(SplitDraw, IsSettledWhenEachSplitWithAShareHasDrawn) {
    auto all = SplitDraw::create({}, 0).value();
    auto two = SplitDraw::create({1, 0, 1}, 0).value();
    EXPECT_FALSE(two.is_settled());
    std::array<bool, 3> drew{};
    for (const std::string& key : keys_of(0, 500)) {
        all.see(key);
        two.see(key);
        drew[static_cast<std::size_t>(split_of(key, {}, 0).value())] = true;
        EXPECT_EQ(all.is_settled(), drew[0] && drew[1] && drew[2]);
    }
    EXPECT_TRUE(all.is_settled());
    EXPECT_TRUE(two.is_settled());
    const std::array<int, 3> counts = counts_of(draw(keys_of(0, 10), {1, 0, 1}));
    EXPECT_EQ(counts[1], 0);
    EXPECT_EQ(SplitDraw::create({0, 0, 0}, 0).error().param, "shares");
}

TEST(SplitRows, GroupsNeverPartAndSharesAreMetClosely) {
    std::vector<std::string> keys;
    for (int group = 0; group < 400; ++group) {
        keys.insert(keys.end(), static_cast<std::size_t>(1 + group % 7), std::to_string(group));
    }
    const std::vector<std::string_view> rows(keys.begin(), keys.end());
    const auto splits = split_rows(rows, {8, 1, 1}, 3).value();
    ASSERT_EQ(splits.size(), rows.size());
    std::map<std::string_view, Split> of_group;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(of_group.emplace(rows[i], splits[i]).first->second, splits[i]);
    }
    const auto counts = counts_of(splits);
    const auto total = static_cast<double>(rows.size());
    EXPECT_NEAR(counts[0], total * 0.8, 7);
    EXPECT_NEAR(counts[1], total * 0.1, 7);
    EXPECT_NEAR(counts[2], total * 0.1, 7);
    EXPECT_EQ(split_rows(rows, {8, 1, 1}, 3).value(), splits);
    EXPECT_NE(split_rows(rows, {8, 1, 1}, 4).value(), splits);
}

TEST(SplitRows, TakesNoRowsOneGroupAndZeroShares) {
    EXPECT_TRUE(split_rows({}, {}, 1)->empty());
    const std::vector<std::string_view> one_group(10, "same");
    EXPECT_EQ(counts_of(split_rows(one_group, {8, 1, 1}, 1).value()), (std::array{10, 0, 0}));
    const std::vector<std::string_view> rows{"a", "b", "c", "d"};
    EXPECT_EQ(counts_of(split_rows(rows, {1, 0, 1}, 1).value()), (std::array{2, 0, 2}));
}

TEST(SplitRows, RefusesSharesThatAreNone) {
    for (const SplitShares& bad :
         {SplitShares{0, 0, 0},
          SplitShares{-1, 1, 1},
          SplitShares{1, 1, std::nan("")},
          SplitShares{std::numeric_limits<double>::infinity(), 1, 1},
          SplitShares{std::numeric_limits<double>::max(), std::numeric_limits<double>::max(), 1}}) {
        EXPECT_EQ(split_of("a", bad, 1).error().param, "shares");
        EXPECT_EQ(split_rows({}, bad, 1).error().param, "shares");
    }
}

}  // namespace
}  // namespace nexa::data
