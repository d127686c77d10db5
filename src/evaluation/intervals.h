// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace nexa::evaluation {

/// Where a number lies with 95 % confidence.
struct Interval {
    double low = 0;
    double high = 0;

    friend bool operator==(const Interval&, const Interval&) = default;
};

/// Of a share of which `successes` of `trials` were seen: Wilson's score interval, which stays
/// within 0 and 1 and is honest near both. 0 to 1 without trials. 0 <= successes <= trials.
Interval wilson_interval(std::int64_t successes, std::int64_t trials);

/// One of the pieces whose sums make a ratio.
struct RatioSample {
    double numerator = 0;
    double denominator = 0;
};

/// Of sum(numerators) / sum(denominators), had other pieces of the same kind been drawn. Up to
/// 10,000 pieces from 2,000 bootstrap resamples (quantiles 2.5 and 97.5 %), which follow from
/// `seed`; beyond, where the two agree, from the normal approximation. Nothing for fewer than two
/// pieces: one says nothing about others. Denominators are above 0.
std::optional<Interval> ratio_interval(std::span<const RatioSample> pieces, std::uint64_t seed);

}  // namespace nexa::evaluation
