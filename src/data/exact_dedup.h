// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace nexa::data {

/// 128 bits of MurmurHash3 (x64 variant). Two different texts share one once in 2^64 texts; not
/// against somebody who makes them collide on purpose.
struct Hash128 {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

Hash128 hash_bytes(std::string_view bytes, std::uint32_t seed = 0);

/// Of a row with several fields: ("ab", "c") and ("a", "bc") differ.
Hash128 hash_fields(std::span<const std::string_view> fields);

/// Finds rows that were there before: the first of equal rows is kept. 32 bytes or so a distinct
/// row. One thread; for parallel work hash in parallel and add in the order of the rows.
class ExactDeduplicator {
public:
    /// The number of the first row with this hash if there was one; else remembers `row` as such.
    /// Rows may come in any order; the result depends on it.
    std::optional<std::int64_t> add(Hash128 hash, std::int64_t row);

    std::int64_t rows() const { return rows_; }
    std::int64_t distinct() const { return static_cast<std::int64_t>(first_rows_.size()); }
    std::int64_t duplicates() const { return rows_ - distinct(); }

private:
    struct Hasher {
        std::size_t operator()(const Hash128& hash) const { return hash.low; }
    };
    std::unordered_map<Hash128, std::int64_t, Hasher> first_rows_;
    std::int64_t rows_ = 0;
};

}  // namespace nexa::data
