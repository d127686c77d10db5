// SPDX-License-Identifier: Apache-2.0
#include "orchestration/metric_series.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace nexa::orchestration {

namespace {

constexpr std::size_t kLeast = 3;

double height(const MetricPoint& point) {
    return std::isfinite(point.value) ? point.value : 0;
}

struct Mean {
    double step = 0;
    double value = 0;
};

Mean mean_of(const std::vector<MetricPoint>& points, std::size_t first, std::size_t end) {
    Mean mean;
    for (std::size_t i = first; i < end; ++i) {
        mean.step += static_cast<double>(points[i].step);
        mean.value += height(points[i]);
    }
    const auto count = static_cast<double>(end - first);
    return {.step = mean.step / count, .value = mean.value / count};
}

/// Twice the area between two points and the mean of those to come.
double area(const MetricPoint& left, const MetricPoint& middle, const Mean& right) {
    const auto left_step = static_cast<double>(left.step);
    return std::abs(
        (left_step - right.step) * (height(middle) - height(left)) -
        (left_step - static_cast<double>(middle.step)) * (right.value - height(left))
    );
}

}  // namespace

void MetricSeries::add(std::string_view name, const MetricPoint& point) {
    auto found = all_.find(name);
    if (found == all_.end()) {
        found = all_.emplace(std::string(name), std::vector<MetricPoint>()).first;
    }
    std::vector<MetricPoint>& points = found->second;
    while (!points.empty() && points.back().step >= point.step) {
        points.pop_back();
    }
    points.push_back(point);
}

std::vector<MetricPoint> downsample(
    const std::vector<MetricPoint>& points, std::size_t points_max
) {
    NEXA_CHECK(points_max >= kLeast);
    if (points.size() <= points_max) {
        return points;
    }
    // Part n of the inner points begins here; the last point is a part of its own.
    const std::size_t parts = points_max - 2;
    const auto begin_of = [&](std::size_t part) {
        return std::min(1 + part * (points.size() - 2) / parts, points.size() - 1);
    };
    std::vector<MetricPoint> kept{points.front()};
    kept.reserve(points_max);
    for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t next = begin_of(part + 1);
        const std::size_t next_end = part + 1 < parts ? begin_of(part + 2) : points.size();
        const Mean to_come = mean_of(points, next, next_end);
        std::size_t chosen = begin_of(part);
        for (std::size_t i = chosen + 1; i < next; ++i) {
            if (area(kept.back(), points[i], to_come) >
                area(kept.back(), points[chosen], to_come)) {
                chosen = i;
            }
        }
        kept.push_back(points[chosen]);
    }
    kept.push_back(points.back());
    return kept;
}

}  // namespace nexa::orchestration
