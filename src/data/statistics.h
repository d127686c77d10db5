// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/result.h"

namespace nexa::data {

/// As NumPy's: std divides by the count; a quantile between two values is on the line between.
struct Summary {
    std::int64_t count = 0;
    double mean = 0;
    double std = 0;
    double min = 0;
    double max = 0;
    std::vector<double> quantiles;  ///< at the points asked for, in their order
};

/// Exact statistics of whole numbers, such as lengths in bytes and tokens. Sums are kept as whole
/// numbers, so the order of adding and merging changes no bit of the result. Memory grows with the
/// distinct values. One thread each; merge them at the end.
class CountStatistics {
public:
    /// 0 <= value < 2^31: our lengths; a larger one is our bug. So is a count times a sum of
    /// squares of 2^128: a billion documents may be a billion bytes each.
    void add(std::int64_t value);
    void merge(const CountStatistics& other);

    std::int64_t count() const { return count_; }
    std::int64_t sum() const;
    /// Zeros if nothing was added. Errors: kInvalidArgument for a point outside 0 to 1.
    Result<Summary> summarize(std::span<const double> quantile_points) const;

private:
    __extension__ using Wide = unsigned __int128;
    std::unordered_map<std::int64_t, std::int64_t> counts_;  // by value
    std::int64_t count_ = 0;
    Wide sum_ = 0;
    Wide sum_of_squares_ = 0;
};

/// The same of any numbers in memory. Errors: kInvalidArgument for a value that is not finite (at
/// its place) or a point outside 0 to 1.
Result<Summary> summarize(std::span<const double> values, std::span<const double> quantile_points);

struct Histogram {
    std::vector<double> edges;         ///< bins + 1 of them, evenly spaced
    std::vector<std::int64_t> counts;  ///< the last bin holds its upper edge too
};

/// Bins from the least to the greatest value, as NumPy's histogram chooses them. Errors:
/// kInvalidArgument for a value that is not finite or bins outside 1 to 1,000,000.
Result<Histogram> histogram(std::span<const double> values, std::int64_t bins);

}  // namespace nexa::data
