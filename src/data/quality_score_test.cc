// SPDX-License-Identifier: Apache-2.0
#include "data/quality_score.h"

#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace nexa::data {
namespace {

TEST(QualityScore, IsFiveTimesTheWeightedMean) {
    EXPECT_EQ(quality_score({1, 1, 1, 1})->overall, 5.0);
    EXPECT_EQ(quality_score({1, 1, 1, 1})->tier, "A+");
    EXPECT_EQ(quality_score({0, 0, 0, 0})->overall, 0.0);
    EXPECT_EQ(quality_score({0, 0, 0, 0})->tier, "F");
    // 5 * (0.35 * 1 + 0.25 * 0.8 + 0.25 * 0.7 + 0.15 * 0.77) = 4.2025
    const QualityScore score = quality_score({1, 0.8, 0.7, 0.77}).value();
    EXPECT_EQ(score.overall, 4.2);
    EXPECT_EQ(score.tier, "A-");
}

TEST(QualityScore, ChecksThatDidNotRunHaveNoWeight) {
    EXPECT_EQ(quality_score({.well_formed = 0.8})->overall, 4.0);
    EXPECT_EQ(quality_score({.well_formed = 1, .distinct = 0.5})->overall, 3.96);
    EXPECT_EQ(quality_score({})->overall, 0.0);
    EXPECT_EQ(quality_score({})->tier, "F");
}

TEST(QualityScore, BetterDataNeverScoresLower) {
    double previous = -1;
    for (int i = 0; i <= 1000; ++i) {
        const double share = i / 1000.0;
        const double overall = quality_score({share, 0.9, share, 0.5})->overall;
        EXPECT_GE(overall, previous);
        previous = overall;
    }
}

TEST(QualityScore, RefusesSharesOutsideTheirRange) {
    for (const double bad : {-0.01, 1.01, std::nan("")}) {
        EXPECT_EQ(quality_score({.distinct = bad}).error().param, "distinct");
    }
}

TEST(QualityScore, TiersFollowTheDocumentedTable) {
    std::ifstream page("docs/formats/quality_score.md");
    std::map<int, std::string, std::greater<>> tiers;  // by hundredths, from the top
    bool in_table = false;
    for (std::string line; std::getline(page, line);) {
        in_table = in_table ? line.starts_with('|') : line.starts_with("| tier |");
        const std::size_t bar = line.find(" | ");
        if (in_table && bar != std::string::npos && line[bar + 4] == '.') {
            tiers[static_cast<int>(std::lround(std::stod(line.substr(bar + 3)) * 100))] =
                line.substr(2, bar - 2);
        }
    }
    ASSERT_EQ(tiers.size(), 11U);
    EXPECT_EQ(tiers.at(420), "A-");
    for (int hundredths = 0; hundredths <= 500; ++hundredths) {
        EXPECT_EQ(tier_of(hundredths / 100.0), tiers.lower_bound(hundredths)->second) << hundredths;
    }
}

}  // namespace
}  // namespace nexa::data
