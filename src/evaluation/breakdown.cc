// SPDX-License-Identifier: Apache-2.0
#include "evaluation/breakdown.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace nexa::evaluation {

namespace {

std::optional<std::int64_t> number_in(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data(), end, number);
    return failed == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

bool comes_before(const std::string& a, const std::string& b) {
    const auto left = number_in(a);
    const auto right = number_in(b);
    if (left && right && *left != *right) {
        return *left < *right;
    }
    return left.has_value() != right.has_value() ? left.has_value() : a < b;
}

}  // namespace

void Breakdown::add(const Meta& meta, bool is_right) {
    for (const auto& [name, value] : meta) {
        auto group = shares_.find(name);
        if (group == shares_.end()) {
            if (shares_.size() >= kNamesMax) {
                continue;
            }
            group = shares_.emplace(name, std::map<std::string, Share>()).first;
        }
        // One value above the limit stays, so that the group is known to be too varied.
        if (group->second.size() <= kValuesMax || group->second.contains(value)) {
            group->second[value].add(is_right);
        }
    }
}

std::vector<BreakdownGroup> Breakdown::groups() const {
    std::vector<BreakdownGroup> groups;
    for (const auto& [name, shares] : shares_) {
        if (shares.size() < 2 || shares.size() > kValuesMax) {
            continue;
        }
        BreakdownGroup group{.name = name, .shares = {shares.begin(), shares.end()}};
        std::ranges::sort(group.shares, comes_before, &std::pair<std::string, Share>::first);
        groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace nexa::evaluation
