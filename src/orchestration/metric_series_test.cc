// SPDX-License-Identifier: Apache-2.0
#include "orchestration/metric_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace nexa::orchestration {
namespace {

std::vector<MetricPoint> curve(std::size_t count) {
    std::vector<MetricPoint> points;
    for (std::size_t i = 0; i < count; ++i) {
        points.push_back(
            {.step = static_cast<std::int64_t>(i), .value = std::sin(static_cast<double>(i) / 50)}
        );
    }
    return points;
}

std::vector<std::int64_t> steps(const std::vector<MetricPoint>& points) {
    std::vector<std::int64_t> all;
    for (const MetricPoint& point : points) {
        all.push_back(point.step);
    }
    return all;
}

TEST(MetricSeries, PointsComeInOrderAndAStepThatCameBeforeBeginsAnew) {
    MetricSeries series;
    for (const std::int64_t step : {1, 2, 3, 4, 2, 3}) {
        series.add("loss", {.step = step, .value = static_cast<double>(step)});
    }
    series.add("lr", {.step = 1});
    EXPECT_EQ(series.all().size(), 2U);
    EXPECT_EQ(steps(series.all().at("loss")), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(MetricSeries, FewPointsAreKeptAsTheyAre) {
    for (const std::size_t count : {0U, 1U, 2U, 3U, 10U}) {
        EXPECT_EQ(steps(downsample(curve(count), 10)), steps(curve(count)));
    }
}

TEST(MetricSeries, ManyAreThinnedToTheNumberAskedForInOrderWithBothEnds) {
    for (const std::size_t count : {4U, 11U, 999U, 10'000U}) {
        for (const std::size_t most : {3U, 4U, 10U, 500U}) {
            const auto kept = steps(downsample(curve(count), most));
            EXPECT_EQ(kept.size(), std::min(count, most)) << count << " to " << most;
            EXPECT_EQ(kept.front(), 0);
            EXPECT_EQ(kept.back(), static_cast<std::int64_t>(count) - 1);
            EXPECT_TRUE(std::ranges::is_sorted(kept, std::less_equal<>()));
        }
    }
}

TEST(MetricSeries, ASinglePeakSurvives) {
    auto points = curve(10'000);
    for (MetricPoint& point : points) {
        point.value = 0;
    }
    points[6543].value = 100;
    const auto kept = downsample(points, 50);
    EXPECT_EQ(std::ranges::max(kept, {}, &MetricPoint::value).step, 6543);
}

TEST(MetricSeries, ValuesThatAreNotFiniteDoNoHarm) {
    auto points = curve(1000);
    points[0].value = std::numeric_limits<double>::infinity();
    points[500].value = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(downsample(points, 20).size(), 20U);
}

}  // namespace
}  // namespace nexa::orchestration
