// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace nexa::orchestration {

/// One value of one metric.
struct MetricPoint {
    std::int64_t step = 0;
    Timestamp at;
    double value = 0;
};

/// A job's metrics by name, put together from its events. Not thread-safe.
///
/// A step that is not above the last one begins anew (the job was taken up from a checkpoint):
/// what was there from that step on goes.
class MetricSeries {
public:
    void add(std::string_view name, const MetricPoint& point);
    const std::map<std::string, std::vector<MetricPoint>, std::less<>>& all() const { return all_; }

private:
    std::map<std::string, std::vector<MetricPoint>, std::less<>> all_;
};

/// At most `points_max` (3 or more) of the points, which keep the look of the curve: the first, the
/// last, and of each equal part between them the one that makes the largest triangle with the one
/// chosen before and the mean of the next part. Steinarsson, "Downsampling Time Series for Visual
/// Representation" (2013): Largest-Triangle-Three-Buckets. Values that are not finite count as 0
/// there. Pure; linear time.
std::vector<MetricPoint> downsample(const std::vector<MetricPoint>& points, std::size_t points_max);

}  // namespace nexa::orchestration
