// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "data/gram_counts_internal.h"
#include "text/utf8.h"

namespace nexa::data::internal {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kModulus = (1ULL << 61U) - 1;  // a prime, cheap to reduce by
constexpr std::uint64_t kBase = 0x9E3779B97F4A7C1ULL;

constexpr std::uint64_t reduce(Wide value) {
    const auto folded =
        static_cast<std::uint64_t>(value & kModulus) + static_cast<std::uint64_t>(value >> 61U);
    return folded >= kModulus ? folded - kModulus : folded;
}

}  // namespace

GramCounts::GramCounts(std::span<const std::string_view> words, std::string_view separator)
    : words_(words.size()),
      separator_bytes_(separator.size()),
      separator_chars_(static_cast<std::int64_t>(text::count_code_points(separator))) {
    begins_.reserve(words_ + 1);
    chars_.reserve(words_ + 1);
    std::int64_t chars = 0;
    for (const std::string_view word : words) {
        begins_.push_back(joined_.size());
        chars_.push_back(chars);
        joined_.append(word).append(separator);
        chars += static_cast<std::int64_t>(text::count_code_points(word));
    }
    begins_.push_back(joined_.size());
    chars_.push_back(chars);
    hashes_.resize(joined_.size() + 1, 0);
    powers_.resize(joined_.size() + 1, 1);
    for (std::size_t i = 0; i < joined_.size(); ++i) {
        const std::uint64_t byte = static_cast<unsigned char>(joined_[i]) + 1U;
        hashes_[i + 1] = reduce(Wide{hashes_[i]} * kBase + byte);
        powers_[i + 1] = reduce(Wide{powers_[i]} * kBase);
    }
}

GramCounts::Gram GramCounts::gram_at(std::size_t first_word, std::size_t n) const {
    Gram gram;
    gram.begin = begins_[first_word];
    const std::size_t end = begins_[first_word + n] - separator_bytes_;
    gram.bytes = end - gram.begin;
    gram.chars = chars_[first_word + n] - chars_[first_word] +
                 separator_chars_ * static_cast<std::int64_t>(n - 1);
    const std::uint64_t before = reduce(Wide{hashes_[gram.begin]} * powers_[gram.bytes]);
    gram.hash = reduce(Wide{hashes_[end]} + kModulus - before);
    return gram;
}

GramCounts::Slot& GramCounts::slot_of(const Gram& gram) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(gram.hash ^ (gram.hash >> 29U)) & mask;
    const std::string_view joined = joined_;
    const std::string_view bytes = joined.substr(gram.begin, gram.bytes);
    for (;; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.count == 0 || (slot.gram.hash == gram.hash &&
                                joined.substr(slot.gram.begin, slot.gram.bytes) == bytes)) {
            return slot;
        }
    }
}

void GramCounts::clear(std::size_t entries_max) {
    slots_.assign(std::bit_ceil(entries_max * 2 + 2), Slot{});
}

std::int64_t GramCounts::top_chars(std::size_t n) {
    clear(grams(n));
    for (std::size_t i = 0; i < grams(n); ++i) {
        const Gram gram = gram_at(i, n);
        Slot& slot = slot_of(gram);
        if (slot.count == 0) {
            slot.gram = gram;  // where it came first
        }
        ++slot.count;
    }
    const Slot* top = nullptr;
    for (const Slot& slot : slots_) {
        const bool is_better =
            slot.count > 0 && (top == nullptr || slot.count > top->count ||
                               (slot.count == top->count && slot.gram.begin < top->gram.begin));
        top = is_better ? &slot : top;
    }
    return top == nullptr ? 0 : top->gram.chars * top->count;
}

std::int64_t GramCounts::duplicate_chars(std::size_t n) {
    clear(grams(n));
    std::int64_t chars = 0;
    for (std::size_t i = 0; i < grams(n);) {
        const Gram gram = gram_at(i, n);
        Slot& slot = slot_of(gram);
        if (slot.count > 0) {
            chars += gram.chars;
            i += n;
        } else {
            slot = {gram, 1};
            ++i;
        }
    }
    return chars;
}

}  // namespace nexa::data::internal
