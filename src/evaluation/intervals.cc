// SPDX-License-Identifier: Apache-2.0
#include "evaluation/intervals.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/check.h"
#include "data/counter_random.h"

namespace nexa::evaluation {

namespace {

/// The normal distribution's quantile at 97.5 %.
constexpr double kZ = 1.959963984540054;
constexpr std::size_t kBootstrapPiecesMax = 10'000;
constexpr std::size_t kResamples = 2'000;

double ratio_of_resample(
    std::span<const RatioSample> pieces, std::uint64_t seed, std::size_t number
) {
    data::CounterRandom random(seed, number);
    double numerator = 0;
    double denominator = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const RatioSample& piece = pieces[static_cast<std::size_t>(random.below(pieces.size()))];
        numerator += piece.numerator;
        denominator += piece.denominator;
    }
    return numerator / denominator;
}

/// On the line between the two values next to the point.
double quantile(std::span<const double> sorted, double point) {
    const double place = point * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = place - static_cast<double>(below);
    return sorted[below] + part * (sorted[above] - sorted[below]);
}

Interval bootstrap(std::span<const RatioSample> pieces, std::uint64_t seed) {
    std::vector<double> ratios;
    ratios.reserve(kResamples);
    for (std::size_t i = 0; i < kResamples; ++i) {
        ratios.push_back(ratio_of_resample(pieces, seed, i));
    }
    std::ranges::sort(ratios);
    return {.low = quantile(ratios, 0.025), .high = quantile(ratios, 0.975)};
}

/// By the spread of what is left of each numerator once the ratio has explained its part.
Interval normal(std::span<const RatioSample> pieces) {
    double numerator = 0;
    double denominator = 0;
    for (const RatioSample& piece : pieces) {
        numerator += piece.numerator;
        denominator += piece.denominator;
    }
    const double ratio = numerator / denominator;
    double squares = 0;
    for (const RatioSample& piece : pieces) {
        const double rest = piece.numerator - ratio * piece.denominator;
        squares += rest * rest;
    }
    const auto count = static_cast<double>(pieces.size());
    const double deviation = std::sqrt(squares * count / (count - 1)) / denominator;
    return {.low = ratio - kZ * deviation, .high = ratio + kZ * deviation};
}

}  // namespace

Interval wilson_interval(std::int64_t successes, std::int64_t trials) {
    NEXA_CHECK(0 <= successes && successes <= trials);
    if (trials == 0) {
        return {.low = 0, .high = 1};
    }
    const auto n = static_cast<double>(trials);
    const double share = static_cast<double>(successes) / n;
    const double shrink = 1 + kZ * kZ / n;
    const double center = (share + kZ * kZ / (2 * n)) / shrink;
    const double reach = kZ / shrink * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
    // At the ends rounding would leave 1e-17 instead of the exact bound.
    return {
        .low = successes == 0 ? 0 : std::max(0.0, center - reach),
        .high = successes == trials ? 1 : std::min(1.0, center + reach),
    };
}

std::optional<Interval> ratio_interval(std::span<const RatioSample> pieces, std::uint64_t seed) {
    if (pieces.size() < 2) {
        return std::nullopt;
    }
    return pieces.size() <= kBootstrapPiecesMax ? bootstrap(pieces, seed) : normal(pieces);
}

}  // namespace nexa::evaluation
