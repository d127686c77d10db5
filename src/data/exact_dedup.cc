// SPDX-License-Identifier: Apache-2.0
#include "data/exact_dedup.h"

#include <array>
#include <bit>
#include <cstring>
#include <string>

namespace nexa::data {
namespace {

static_assert(std::endian::native == std::endian::little, "hashes are read as little-endian words");

constexpr std::uint64_t kFirst = 0x87C37B91114253D5ULL;
constexpr std::uint64_t kSecond = 0x4CF5AD432745937FULL;

constexpr std::uint64_t mix_first(std::uint64_t k) {
    return std::rotl(k * kFirst, 31) * kSecond;
}

constexpr std::uint64_t mix_second(std::uint64_t k) {
    return std::rotl(k * kSecond, 33) * kFirst;
}

constexpr std::uint64_t finish(std::uint64_t k) {
    k = (k ^ (k >> 33U)) * 0xFF51AFD7ED558CCDULL;
    k = (k ^ (k >> 33U)) * 0xC4CEB9FE1A85EC53ULL;
    return k ^ (k >> 33U);
}

// Up to 16 bytes as two words; what is missing is zero.
std::array<std::uint64_t, 2> words_of(std::string_view block) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), block.data(), block.size());
    return words;
}

}  // namespace

Hash128 hash_bytes(std::string_view bytes, std::uint32_t seed) {
    std::uint64_t low = seed;
    std::uint64_t high = seed;
    const std::size_t whole = bytes.size() / 16 * 16;
    for (std::size_t at = 0; at < whole; at += 16) {
        const auto [first, second] = words_of(bytes.substr(at, 16));
        low = (std::rotl(low ^ mix_first(first), 27) + high) * 5 + 0x52DCE729U;
        high = (std::rotl(high ^ mix_second(second), 31) + low) * 5 + 0x38495AB5U;
    }
    if (whole < bytes.size()) {
        const auto [first, second] = words_of(bytes.substr(whole));
        low ^= mix_first(first);
        high ^= mix_second(second);
    }
    low ^= bytes.size();
    high ^= bytes.size();
    low += high;
    high += low;
    low = finish(low);
    high = finish(high);
    low += high;
    high += low;
    return {low, high};
}

Hash128 hash_fields(std::span<const std::string_view> fields) {
    std::string joined;
    for (const std::string_view field : fields) {
        const std::uint64_t size = field.size();
        joined.append(std::bit_cast<std::array<char, 8>>(size).data(), 8);
        joined.append(field);
    }
    return hash_bytes(joined);
}

std::optional<std::int64_t> ExactDeduplicator::add(Hash128 hash, std::int64_t row) {
    ++rows_;
    const auto [found, is_new] = first_rows_.emplace(hash, row);
    return is_new ? std::nullopt : std::optional(found->second);
}

}  // namespace nexa::data
