// SPDX-License-Identifier: Apache-2.0
#include "data/quality_score.h"

#include <array>
#include <cmath>

namespace nexa::data {
namespace {

constexpr double kScoreMax = 5;

struct Tier {
    int hundredths_min;
    std::string_view name;
};
constexpr std::array<Tier, 11> kTiers{{
    {480, "A+"},
    {450, "A"},
    {420, "A-"},
    {390, "B+"},
    {360, "B"},
    {330, "B-"},
    {300, "C+"},
    {270, "C"},
    {240, "C-"},
    {180, "D"},
    {0, "F"},
}};

// In whole hundredths, so that a score and its tier cannot disagree by a rounding error.
int hundredths(double overall) {
    return static_cast<int>(std::lround(overall * 100));
}

}  // namespace

std::string_view tier_of(double overall) {
    const int score = hundredths(overall);
    for (const Tier& tier : kTiers) {
        if (score >= tier.hundredths_min) {
            return tier.name;
        }
    }
    return kTiers.back().name;
}

Result<QualityScore> quality_score(const QualityComponents& components) {
    struct Part {
        std::string_view name;
        const std::optional<double>& share;
        double weight;
    };
    const std::array parts{
        Part{"well_formed", components.well_formed, 0.35},
        Part{"distinct", components.distinct, 0.25},
        Part{"filtered_in", components.filtered_in, 0.25},
        Part{"fitting", components.fitting, 0.15},
    };
    double sum = 0;
    double weights = 0;
    for (const Part& part : parts) {
        if (!part.share) {
            continue;
        }
        if (!(*part.share >= 0 && *part.share <= 1)) {
            return Error::invalid_argument("must be 0 to 1, is {}", *part.share).at(part.name);
        }
        sum += part.weight * *part.share;
        weights += part.weight;
    }
    const double exact = weights > 0 ? kScoreMax * sum / weights : 0;
    const double overall = hundredths(exact) / 100.0;
    return QualityScore{.overall = overall, .tier = tier_of(overall)};
}

}  // namespace nexa::data
