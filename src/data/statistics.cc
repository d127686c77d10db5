// SPDX-License-Identifier: Apache-2.0
#include "data/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace nexa::data {
namespace {

// Where a quantile lies among `count` sorted values: between two neighbors.
struct QuantilePlace {
    std::int64_t below = 0;
    std::int64_t above = 0;
    double weight = 0;
};

Result<QuantilePlace> place_of(double point, std::int64_t count) {
    if (!(point >= 0 && point <= 1)) {
        return Error::invalid_argument("quantile point {} is not within 0 to 1", point)
            .at("quantile_points");
    }
    const double exact = point * static_cast<double>(count - 1);
    const auto below = static_cast<std::int64_t>(std::floor(exact));
    return QuantilePlace{
        .below = below,
        .above = std::min(below + 1, count - 1),
        .weight = exact - static_cast<double>(below),
    };
}

// From the nearer end, so that both ends are met exactly.
double between(double low, double high, double weight) {
    return weight < 0.5 ? low + (high - low) * weight : high - (high - low) * (1 - weight);
}

// A sum with the rounding errors carried along.
class CarefulSum {
public:
    void add(double value) {
        const double next = sum_ + value;
        carry_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
        sum_ = next;
    }
    double value() const { return sum_ + carry_; }

private:
    double sum_ = 0;
    double carry_ = 0;
};

Status check_finite(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
            return Error::invalid_argument("must be a finite number, is {}", values[i])
                .at(fmt::format("values[{}]", i));
        }
    }
    return {};
}

}  // namespace

void CountStatistics::add(std::int64_t value) {
    NEXA_CHECK(value >= 0 && value <= std::numeric_limits<std::int32_t>::max());
    ++counts_[value];
    ++count_;
    sum_ += static_cast<Wide>(value);
    sum_of_squares_ += static_cast<Wide>(value) * static_cast<Wide>(value);
}

void CountStatistics::merge(const CountStatistics& other) {
    for (const auto& [value, count] : other.counts_) {
        counts_[value] += count;  // with itself: every value is there, so nothing moves
    }
    count_ += other.count_;
    sum_ += other.sum_;
    sum_of_squares_ += other.sum_of_squares_;
}

std::int64_t CountStatistics::sum() const {
    return static_cast<std::int64_t>(sum_);
}

Result<Summary> CountStatistics::summarize(std::span<const double> quantile_points) const {
    Summary summary;
    summary.count = count_;
    std::vector<std::pair<std::int64_t, std::int64_t>> sorted(counts_.begin(), counts_.end());
    std::ranges::sort(sorted);
    std::int64_t seen = 0;
    for (auto& [value, count] : sorted) {
        seen += count;
        count = seen;  // from here on: how many values are not above this one
    }
    const auto value_at = [&sorted](std::int64_t index) {
        const auto found = std::ranges::upper_bound(
            sorted, index, {}, &std::pair<std::int64_t, std::int64_t>::second
        );
        return static_cast<double>(found->first);
    };
    for (const double point : quantile_points) {
        TRY(const QuantilePlace place, place_of(point, std::max<std::int64_t>(count_, 1)));
        summary.quantiles.push_back(
            count_ == 0 ? 0 : between(value_at(place.below), value_at(place.above), place.weight)
        );
    }
    if (count_ > 0) {
        const auto count = static_cast<Wide>(count_);
        summary.mean =
            static_cast<double>(static_cast<long double>(sum_) / static_cast<long double>(count_));
        // n * sum of squares - square of the sum: whole numbers, so nothing cancels away.
        NEXA_CHECK(sum_of_squares_ <= ~Wide{0} / count);
        const Wide spread = count * sum_of_squares_ - sum_ * sum_;
        summary.std = std::sqrt(static_cast<double>(spread)) / static_cast<double>(count_);
        summary.min = static_cast<double>(sorted.front().first);
        summary.max = static_cast<double>(sorted.back().first);
    }
    return summary;
}

Result<Summary> summarize(std::span<const double> values, std::span<const double> quantile_points) {
    TRY_STATUS(check_finite(values));
    Summary summary;
    summary.count = static_cast<std::int64_t>(values.size());
    std::vector<double> sorted(values.begin(), values.end());
    std::ranges::sort(sorted);
    for (const double point : quantile_points) {
        TRY(const QuantilePlace place, place_of(point, std::max<std::int64_t>(summary.count, 1)));
        summary.quantiles.push_back(
            sorted.empty() ? 0
                           : between(
                                 sorted[static_cast<std::size_t>(place.below)],
                                 sorted[static_cast<std::size_t>(place.above)],
                                 place.weight
                             )
        );
    }
    if (sorted.empty()) {
        return summary;
    }
    const auto count = static_cast<double>(summary.count);
    CarefulSum sum;
    for (const double value : sorted) {
        sum.add(value);
    }
    summary.mean = sum.value() / count;
    CarefulSum squares;
    for (const double value : sorted) {
        squares.add((value - summary.mean) * (value - summary.mean));
    }
    summary.std = std::sqrt(squares.value() / count);
    summary.min = sorted.front();
    summary.max = sorted.back();
    return summary;
}

Result<Histogram> histogram(std::span<const double> values, std::int64_t bins) {
    constexpr std::int64_t kBinsMax = 1'000'000;
    if (bins < 1 || bins > kBinsMax) {
        return Error::invalid_argument("must be 1 to {}, is {}", kBinsMax, bins).at("bins");
    }
    TRY_STATUS(check_finite(values));
    double low = 0;
    double high = 1;
    if (!values.empty()) {
        const auto [least, greatest] = std::ranges::minmax(values);
        low = least == greatest ? least - 0.5 : least;
        high = least == greatest ? greatest + 0.5 : greatest;
    }
    Histogram result;
    result.counts.assign(static_cast<std::size_t>(bins), 0);
    const double step = (high - low) / static_cast<double>(bins);
    for (std::int64_t i = 0; i <= bins; ++i) {
        result.edges.push_back(i == bins ? high : low + static_cast<double>(i) * step);
    }
    for (const double value : values) {
        // The bin by its edges, not by a division, which rounds otherwise than they do.
        const auto above = std::ranges::upper_bound(result.edges, value);
        const auto bin = std::clamp<std::ptrdiff_t>(above - result.edges.begin() - 1, 0, bins - 1);
        ++result.counts[static_cast<std::size_t>(bin)];
    }
    return result;
}

}  // namespace nexa::data
