// SPDX-License-Identifier: Apache-2.0
#include "data/statistics.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/proves.h"

namespace nexa::data {
namespace {

const std::vector<double> kPoints{0, .05, .25, .5, .9, .95, 1};

void expect_near_relatively(double actual, double expected) {
    EXPECT_LE(std::abs(actual - expected), 1e-12 * std::max(1.0, std::abs(expected)))
        << actual << " instead of " << expected;
}

void expect_equal(const Summary& actual, const Summary& expected) {
    EXPECT_EQ(actual.count, expected.count);
    expect_near_relatively(actual.mean, expected.mean);
    expect_near_relatively(actual.std, expected.std);
    EXPECT_EQ(actual.min, expected.min);
    EXPECT_EQ(actual.max, expected.max);
    ASSERT_EQ(actual.quantiles.size(), expected.quantiles.size());
    for (std::size_t i = 0; i < expected.quantiles.size(); ++i) {
        expect_near_relatively(actual.quantiles[i], expected.quantiles[i]);
    }
}

const std::vector<int> kDigits{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9,
                               3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7};

// From NumPy 2: mean, std, quantile.
const Summary kDigitsSummary{
    .count = 30,
    .mean = 4.7,
    .std = 2.4650895859312425,
    .min = 1,
    .max = 9,
    .quantiles = {1.0, 1.4500000000000002, 3.0, 4.0, 8.100000000000001, 9.0, 9.0},
};

std::vector<double> parabola() {
    std::vector<double> values;
    for (int i = 0; i < 1000; ++i) {
        values.push_back(0.1 * i * i - 3.7 * i + 1e6);
    }
    return values;
}

TEST(Statistics, EqualNumPys) {
    NEXA_PROVES("A-33");
    CountStatistics counts;
    for (const int digit : kDigits) {
        counts.add(digit);
    }
    expect_equal(counts.summarize(kPoints).value(), kDigitsSummary);
    EXPECT_EQ(counts.sum(), 141);
    expect_equal(
        summarize(std::vector<double>(kDigits.begin(), kDigits.end()), kPoints).value(),
        kDigitsSummary
    );
    expect_equal(
        summarize(parabola(), kPoints).value(),
        {.count = 1000,
         .mean = 1031435.2000000002,
         .std = 28753.397015100658,
         .min = 999965.8,
         .max = 1096103.8,
         .quantiles =
             {999965.8,
              1000064.6900000001,
              1005313.45,
              1023101.9,
              1077511.4200000002,
              1086558.11,
              1096103.8}}
    );
    const Histogram bins = histogram(parabola(), 7).value();
    EXPECT_EQ(bins.counts, (std::vector<std::int64_t>{390, 153, 118, 99, 88, 79, 73}));
    const std::vector<double> edges{
        999965.8, 1013699.8, 1027433.8, 1041167.8, 1054901.8, 1068635.8, 1082369.8, 1096103.8
    };
    for (std::size_t i = 0; i < edges.size(); ++i) {
        expect_near_relatively(bins.edges.at(i), edges[i]);
    }
}

TEST(Statistics, MergingInAnyCutAndOrderChangesNoBit) {
    std::mt19937_64 random(15);
    for (int round = 0; round < 50; ++round) {
        CountStatistics whole;
        std::vector<CountStatistics> parts(1 + random() % 8);
        for (std::size_t i = random() % 500; i > 0; --i) {
            const auto value = static_cast<std::int64_t>(random() % (1ULL << (random() % 31)));
            whole.add(value);
            parts[random() % parts.size()].add(value);
        }
        CountStatistics merged;
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            merged.merge(*part);
        }
        const Summary expected = whole.summarize(kPoints).value();
        const Summary actual = merged.summarize(kPoints).value();
        EXPECT_EQ(actual.mean, expected.mean);
        EXPECT_EQ(actual.std, expected.std);
        EXPECT_EQ(actual.quantiles, expected.quantiles);
    }
}

TEST(Statistics, MergingWithItselfDoubles) {
    CountStatistics counts;
    counts.add(2);
    counts.add(4);
    counts.merge(counts);
    EXPECT_EQ(counts.count(), 4);
    EXPECT_EQ(counts.summarize({})->mean, 3);
}

TEST(Statistics, HugeLengthsLoseNothing) {
    CountStatistics counts;
    for (int i = 0; i < 3; ++i) {
        counts.add(std::numeric_limits<std::int32_t>::max());
    }
    counts.add(std::numeric_limits<std::int32_t>::max() - 4);
    EXPECT_DOUBLE_EQ(counts.summarize({})->std, std::sqrt(3.0));
}

TEST(Statistics, NothingIsZerosAndBadPointsAreRefused) {
    const Summary none = CountStatistics().summarize(kPoints).value();
    EXPECT_EQ(none.count, 0);
    EXPECT_EQ(none.mean, 0);
    EXPECT_EQ(none.quantiles, std::vector<double>(kPoints.size(), 0));
    expect_equal(summarize({}, kPoints).value(), none);
    for (const double bad : {-0.1, 1.1, std::nan("")}) {
        EXPECT_FALSE(CountStatistics().summarize(std::vector{bad}));
        EXPECT_FALSE(summarize(std::vector{1.0}, std::vector{bad}));
    }
    EXPECT_EQ(summarize(std::vector{1.0, std::nan("")}, {}).error().param, "values[1]");
}

TEST(Histogram, TakesOneValueNothingAndRefusesBadBins) {
    EXPECT_EQ(
        histogram(std::vector{2.0, 2.0, 2.0}, 4)->counts, (std::vector<std::int64_t>{0, 0, 3, 0})
    );
    EXPECT_EQ(histogram(std::vector{2.0}, 4)->edges, (std::vector{1.5, 1.75, 2.0, 2.25, 2.5}));
    EXPECT_EQ(histogram({}, 3)->counts, (std::vector<std::int64_t>{0, 0, 0}));
    EXPECT_FALSE(histogram({}, 0));
    EXPECT_FALSE(histogram({}, 1'000'001));
    EXPECT_FALSE(histogram(std::vector{std::numeric_limits<double>::infinity()}, 3));
}

}  // namespace
}  // namespace nexa::data
