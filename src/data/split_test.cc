// SPDX-License-Identifier: Apache-2.0
#include "data/split.h"

#include <array>
#include <limits>
#include <map>
#include <string>
#include <vector>

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
