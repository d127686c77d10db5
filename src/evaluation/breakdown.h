// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "evaluation/intervals.h"
#include "evaluation/task.h"

namespace nexa::evaluation {

/// How many of how many answers were right.
struct Share {
    std::int64_t right = 0;
    std::int64_t total = 0;

    void add(bool is_right) {
        right += is_right ? 1 : 0;
        ++total;
    }
    /// 0 without answers.
    double value() const {
        return total == 0 ? 0 : static_cast<double>(right) / static_cast<double>(total);
    }
    Interval interval() const { return wilson_interval(right, total); }

    friend bool operator==(const Share&, const Share&) = default;
};

/// The shares of the rows that have each value of one thing known about them.
struct BreakdownGroup {
    std::string name;
    std::vector<std::pair<std::string, Share>> shares;  ///< numbers by size, other values by name
};

/// Counts right answers by each of the rows' meta texts. What is the same for all rows says nothing
/// and is left out of groups(); so is what has more values than kValuesMax, such as a source.
class Breakdown {
public:
    static constexpr std::size_t kValuesMax = 32;
    static constexpr std::size_t kNamesMax = 16;

    void add(const Meta& meta, bool is_right);
    /// In the order of their names.
    std::vector<BreakdownGroup> groups() const;

private:
    std::map<std::string, std::map<std::string, Share>> shares_;  ///< by name, by value
};

}  // namespace nexa::evaluation
