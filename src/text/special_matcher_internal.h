// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace nexa::text::internal {

/// Finds added tokens in text: the leftmost first, the longest where several start at one place.
class SpecialMatcher {
public:
    struct Entry {
        std::string_view content;  // not empty; outlives the matcher
        std::int32_t id = 0;
        bool special = true;  // false: matched also where special tokens are plain text
    };
    struct Match {
        std::size_t at = 0;
        std::size_t length = 0;
        std::int32_t id = 0;
    };

    explicit SpecialMatcher(std::vector<Entry> entries);

    /// The first match at or after `from`; `with_special` false skips the special ones.
    std::optional<Match> find(std::string_view text, std::size_t from, bool with_special) const;

private:
    std::vector<Entry> entries_;  // by first byte, then the longest first
    std::array<std::uint32_t, 257> first_of_{
    };  // entries of byte b: [first_of_[b], first_of_[b+1])
};

}  // namespace nexa::text::internal
