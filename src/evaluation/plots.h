// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/statistics.h"
#include "evaluation/intervals.h"

namespace nexa::evaluation {

/// A share between 0 and 1 with its interval.
struct Bar {
    std::string label;
    double value = 0;
    Interval interval;
    std::int64_t count = 0;  ///< answers it is made of
};

/// Shares below each other, one bar a row, each with a line for its interval.
struct BarPlot {
    std::string title;
    std::vector<Bar> bars;
};

struct HistogramPlot {
    std::string title;
    std::string unit;  ///< below the axis
    data::Histogram histogram;
};

// Each as one <svg> element, well-formed as XML, that takes its colors from the page's CSS
// (classes bar, whisker, grid, label) and its description from <title>. Texts are escaped.

std::string to_svg(const BarPlot& plot);
std::string to_svg(const HistogramPlot& plot);

}  // namespace nexa::evaluation
