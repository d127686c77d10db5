// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nexa::data::internal {

/// Counts n-grams of the words of one text, exactly: equal n-grams are equal text, words joined by
/// `separator` or by nothing. The hash of any n-gram takes constant time, from prefix sums.
class GramCounts {
public:
    GramCounts(std::span<const std::string_view> words, std::string_view separator);

    /// Characters of the most frequent n-gram times how often it is there; of several, the one that
    /// came first counts. 0 if there is no n-gram.
    std::int64_t top_chars(std::size_t n);

    /// Characters of the n-grams that were there before, stepping over each one found.
    std::int64_t duplicate_chars(std::size_t n);

private:
    struct Gram {
        std::size_t begin = 0;  // in joined_
        std::size_t bytes = 0;
        std::uint64_t hash = 0;
        std::int64_t chars = 0;
    };
    struct Slot {
        Gram gram;
        std::int64_t count = 0;  // 0: free
    };

    std::size_t grams(std::size_t n) const { return words_ < n ? 0 : words_ - n + 1; }
    Gram gram_at(std::size_t first_word, std::size_t n) const;
    Slot& slot_of(const Gram& gram);
    void clear(std::size_t entries_max);

    std::size_t words_;
    std::size_t separator_bytes_;
    std::int64_t separator_chars_;
    std::string joined_;
    std::vector<std::size_t> begins_;    // of each word in joined_, and the end
    std::vector<std::int64_t> chars_;    // code points before each word, separators not counted
    std::vector<std::uint64_t> hashes_;  // of the first i bytes of joined_
    std::vector<std::uint64_t> powers_;  // of the hash's base
    std::vector<Slot> slots_;
};

}  // namespace nexa::data::internal
