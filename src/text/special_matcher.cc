// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "text/special_matcher_internal.h"

namespace nexa::text::internal {
namespace {

std::uint8_t first_byte(const SpecialMatcher::Entry& entry) {
    return static_cast<std::uint8_t>(entry.content.front());
}

}  // namespace

SpecialMatcher::SpecialMatcher(std::vector<Entry> entries) : entries_(std::move(entries)) {
    std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
        return std::tuple(first_byte(a), b.content.size(), a.content) <
               std::tuple(first_byte(b), a.content.size(), b.content);
    });
    for (const Entry& entry : entries_) {
        ++first_of_[first_byte(entry) + 1U];
    }
    for (std::size_t byte = 1; byte < first_of_.size(); ++byte) {
        first_of_[byte] += first_of_[byte - 1];
    }
}

std::optional<SpecialMatcher::Match> SpecialMatcher::find(
    std::string_view text, std::size_t from, bool with_special
) const {
    if (entries_.empty()) {
        return std::nullopt;
    }
    for (std::size_t at = from; at < text.size(); ++at) {
        const auto byte = static_cast<std::uint8_t>(text[at]);
        for (std::uint32_t i = first_of_[byte]; i < first_of_[byte + 1U]; ++i) {
            const Entry& entry = entries_[i];
            if ((with_special || !entry.special) && text.substr(at).starts_with(entry.content)) {
                return Match{at, entry.content.size(), entry.id};
            }
        }
    }
    return std::nullopt;
}

}  // namespace nexa::text::internal
