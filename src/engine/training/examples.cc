// SPDX-License-Identifier: Apache-2.0
#include "engine/training/examples.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/check.h"
#include "core/mix_bits.h"

namespace nexa::training {
namespace {

Status check_example(
    std::span<const std::int32_t> tokens,
    std::span<const float> weights,
    std::span<const std::int32_t> starts
) {
    if (tokens.size() < 2 || tokens.size() > (std::size_t{1} << 30)) {
        return Error::invalid_argument("needs 2 to 2^30 tokens, has {}", tokens.size())
            .at("tokens");
    }
    if (std::ranges::any_of(tokens, [](std::int32_t token) { return token < 0; })) {
        return Error::invalid_argument("holds a negative token").at("tokens");
    }
    if (!weights.empty() && weights.size() != tokens.size()) {
        return Error::invalid_argument("has {} for {} tokens", weights.size(), tokens.size())
            .at("weights");
    }
    if (std::ranges::any_of(weights, [](float w) { return !(std::isfinite(w) && w >= 0.0F); })) {
        return Error::invalid_argument("holds one that is negative or not finite").at("weights");
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
        const bool rises = i == 0 ? starts[0] == 0 : starts[i] > starts[i - 1];
        if (!rises || static_cast<std::size_t>(starts[i]) >= tokens.size()) {
            return Error::invalid_argument("must rise from 0 and lie inside the example")
                .at("starts");
        }
    }
    return ok();
}

}  // namespace

Status ExampleSet::add(
    std::span<const std::int32_t> tokens,
    std::span<const float> weights,
    std::span<const std::int32_t> starts
) {
    TRY_STATUS(check_example(tokens, weights, starts));
    static constexpr std::int32_t kOnlyStart = 0;
    if (starts.empty()) {
        starts = std::span(&kOnlyStart, 1);
    }
    std::vector<float> counted(weights.begin(), weights.end());
    if (weights.empty()) {
        counted.assign(tokens.size(), 1.0F);
    }
    for (const std::int32_t start : starts) {
        counted[static_cast<std::size_t>(start)] = 0.0F;
    }
    double sum = 0.0;
    for (const float weight : counted) {
        sum += static_cast<double>(weight);
    }
    if (sum == 0.0) {
        return Error::invalid_argument("leave no token to predict").at("weights");
    }

    rows_.push_back({tokens_.size(), tokens.size(), starts_.size(), starts.size(), sum});
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    weights_.insert(weights_.end(), counted.begin(), counted.end());
    starts_.insert(starts_.end(), starts.begin(), starts.end());
    longest_ = std::max(longest_, tokens.size());
    largest_token_ = std::max(largest_token_, std::ranges::max(tokens));

    const auto mix = [this](std::uint64_t value) { fingerprint_ = mix_bits(fingerprint_ ^ value); };
    mix(tokens.size());
    mix(starts.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto weight = std::uint64_t{std::bit_cast<std::uint32_t>(counted[i])};
        mix(weight << 32 | static_cast<std::uint32_t>(tokens[i]));
    }
    for (const std::int32_t start : starts) {
        mix(static_cast<std::uint32_t>(start));
    }
    return ok();
}

ExampleView ExampleSet::operator[](std::size_t index) const {
    NEXA_CHECK(index < rows_.size());
    const Row& row = rows_[index];
    return {
        .tokens = std::span(tokens_).subspan(row.token_begin, row.token_count),
        .weights = std::span(weights_).subspan(row.token_begin, row.token_count),
        .starts = std::span(starts_).subspan(row.start_begin, row.start_count),
        .weight = row.weight,
    };
}

}  // namespace nexa::training
