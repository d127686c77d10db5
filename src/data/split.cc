// SPDX-License-Identifier: Apache-2.0
#include "data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "core/mix_bits.h"
#include "data/counter_random.h"
#include "data/shuffle.h"

namespace nexa::data {
namespace {

using Shares = std::array<double, 3>;  // by Split, adding up to 1

Result<Shares> normalized(const SplitShares& shares) {
    Shares parts{shares.train, shares.validation, shares.test};
    double sum = 0;
    for (const double part : parts) {
        if (!std::isfinite(part) || part < 0) {
            return Error::invalid_argument("must be a number of at least 0, is {}", part)
                .at("shares");
        }
        sum += part;
    }
    if (sum <= 0 || !std::isfinite(sum)) {
        return Error::invalid_argument("must not all be 0, and have a sum").at("shares");
    }
    for (double& part : parts) {
        part /= sum;
    }
    return parts;
}

double point_of(const Hash128& hash, std::uint64_t seed) {
    return CounterRandom(mix_bits(seed) ^ hash.high, hash.low).unit();
}

Split split_at(double point, const Shares& parts) {
    // A share of zero takes nothing, also where rounding leaves a gap below 1.
    double below = 0;
    Split last = Split::kTrain;
    for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
        const double part = parts[static_cast<std::size_t>(split)];
        if (part <= 0) {
            continue;
        }
        below += part;
        last = split;
        if (point < below) {
            break;
        }
    }
    return last;
}

}  // namespace

Result<Split> split_of(std::string_view group_key, const SplitShares& shares, std::uint64_t seed) {
    TRY(const Shares parts, normalized(shares));
    return split_at(point_of(hash_bytes(group_key), seed), parts);
}

SplitDraw::SplitDraw(const Shares& shares, std::uint64_t seed) : shares_(shares), seed_(seed) {
    for (std::size_t i = 0; i < shares.size(); ++i) {
        drew_[i] = shares[i] <= 0;  // nothing is lacking where nothing belongs
    }
}

Result<SplitDraw> SplitDraw::create(const SplitShares& shares, std::uint64_t seed) {
    TRY(const Shares parts, normalized(shares));
    return SplitDraw(parts, seed);
}

SplitDraw::Group SplitDraw::group_of(std::string_view key) const {
    const Hash128 hash = hash_bytes(key);
    return {.point = point_of(hash, seed_), .hash = hash};
}

Split SplitDraw::drawn_by(const Group& group) const {
    return split_at(group.point, shares_);
}

void SplitDraw::see(std::string_view group_key) {
    const Group group = group_of(group_key);
    const Split split = drawn_by(group);
    drew_[static_cast<std::size_t>(split)] = true;
    if (groups_.size() < kGroupsForAll) {
        groups_.insert(group.hash);
    }
    first_ = std::min(first_.value_or(group), group);
    auto& [last, before] = last_of_train_;
    if (split != Split::kTrain || group == last) {
        return;
    }
    if (!last || *last < group) {
        before = std::exchange(last, group);
    } else if (!before || *before < group) {
        before = group;
    }
}

Split SplitDraw::split_of(std::string_view group_key) const {
    const Group group = group_of(group_key);
    const auto lacks = [this](Split split) { return !drew_[static_cast<std::size_t>(split)]; };
    if (lacks(Split::kTrain) && group == first_) {
        return Split::kTrain;
    }
    if (groups_.size() >= kGroupsForAll) {
        const auto& [last, before] = last_of_train_;
        if (lacks(Split::kTest) && group == last) {
            return Split::kTest;
        }
        if (lacks(Split::kValidation) && group == (lacks(Split::kTest) ? before : last)) {
            return Split::kValidation;
        }
    }
    return drawn_by(group);
}

Result<std::vector<Split>> split_rows(
    std::span<const std::string_view> group_of_row, const SplitShares& shares, std::uint64_t seed
) {
    TRY(const Shares parts, normalized(shares));
    std::unordered_map<std::string_view, std::size_t> numbers;
    std::vector<std::int64_t> rows_in;  // by group, in the order of first appearance
    std::vector<std::size_t> group_numbers;
    group_numbers.reserve(group_of_row.size());
    for (const std::string_view key : group_of_row) {
        const std::size_t number = numbers.emplace(key, rows_in.size()).first->second;
        rows_in.resize(std::max(rows_in.size(), number + 1), 0);
        ++rows_in[number];
        group_numbers.push_back(number);
    }
    std::vector<Split> split_of_group(rows_in.size(), Split::kTrain);
    std::array<double, 3> lacking{};
    for (std::size_t i = 0; i < lacking.size(); ++i) {
        lacking[i] = parts[i] * static_cast<double>(group_of_row.size());
    }
    const IndexPermutation order(rows_in.size(), seed);
    for (std::uint64_t i = 0; i < order.size(); ++i) {
        const std::uint64_t group = order.at(i);
        const auto neediest =
            static_cast<std::size_t>(std::ranges::max_element(lacking) - lacking.begin());
        lacking[neediest] -= static_cast<double>(rows_in[group]);
        split_of_group[group] = static_cast<Split>(neediest);
    }
    std::vector<Split> splits;
    splits.reserve(group_numbers.size());
    for (const std::size_t number : group_numbers) {
        splits.push_back(split_of_group[number]);
    }
    return splits;
}

}  // namespace nexa::data
