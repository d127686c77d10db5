// SPDX-License-Identifier: Apache-2.0
#include "evaluation/breakdown.h"

#include <gtest/gtest.h>

namespace nexa::evaluation {
namespace {

TEST(Breakdown, CountsRightAnswersByEachValue) {
    Breakdown breakdown;
    for (int i = 0; i < 30; ++i) {
        breakdown.add({{"digits", std::to_string(1 + i % 3)}, {"operation", "add"}}, i % 3 != 2);
    }
    const auto groups = breakdown.groups();
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].name, "digits");
    ASSERT_EQ(groups[0].shares.size(), 3U);
    EXPECT_EQ(groups[0].shares[0].second, (Share{.right = 10, .total = 10}));
    EXPECT_EQ(groups[0].shares[2].second, (Share{.right = 0, .total = 10}));
    EXPECT_EQ(groups[0].shares[2].second.value(), 0);
    EXPECT_EQ(groups[0].shares[0].second.interval(), wilson_interval(10, 10));
}

TEST(Breakdown, SortsNumbersBySizeAndBeforeWords) {
    Breakdown breakdown;
    for (const char* value : {"10", "word", "2", "1", "another"}) {
        breakdown.add({{"size", value}}, true);
    }
    std::vector<std::string> order;
    const auto groups = breakdown.groups();
    for (const auto& [value, share] : groups.at(0).shares) {
        order.push_back(value);
    }
    EXPECT_EQ(order, (std::vector<std::string>{"1", "2", "10", "another", "word"}));
}

TEST(Breakdown, LeavesOutWhatHasTooManyValuesAndStaysBounded) {
    Breakdown breakdown;
    for (int i = 0; i < 100'000; ++i) {
        breakdown.add({{"source", std::to_string(i)}, {"half", i % 2 == 0 ? "a" : "b"}}, true);
    }
    const auto groups = breakdown.groups();
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].name, "half");
    EXPECT_EQ(groups[0].shares[1].second.total, 50'000);
}

TEST(Breakdown, ShowsAsManyValuesAsTheLimitAllows) {
    Breakdown breakdown;
    for (std::size_t i = 0; i < Breakdown::kValuesMax; ++i) {
        breakdown.add({{"size", std::to_string(i)}}, true);
    }
    EXPECT_EQ(breakdown.groups().at(0).shares.size(), Breakdown::kValuesMax);
    breakdown.add({{"size", "one more"}}, true);
    EXPECT_TRUE(breakdown.groups().empty());
}

}  // namespace
}  // namespace nexa::evaluation
