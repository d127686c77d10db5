// SPDX-License-Identifier: Apache-2.0
#include "data/exact_dedup.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nexa::data {
namespace {

using Fields = std::vector<std::string_view>;

// From the reference implementation, by way of Python's mmh3.
TEST(Hash128, EqualsMurmurHash3) {
    EXPECT_EQ(hash_bytes(""), (Hash128{0, 0}));
    EXPECT_EQ(hash_bytes("a"), (Hash128{0x85555565f6597889, 0xe6b53a48510e895a}));
    EXPECT_EQ(hash_bytes("hello"), (Hash128{0xcbd8a7b341bd9b02, 0x5b1e906a48ae1d19}));
    EXPECT_EQ(hash_bytes("hello", 42), (Hash128{0xc4b8b3c960af6f08, 0x2334b875b0efbc7a}));
    EXPECT_EQ(hash_bytes("0123456789abcdef"), (Hash128{0x4be06d94cf4ad1a7, 0x87c35b5c63a708da}));
    EXPECT_EQ(
        hash_bytes("The quick brown fox jumps over the lazy dog"),
        (Hash128{0xe34bbc7bbc071b6c, 0x7a433ca9c49a9347})
    );
    std::string bytes;
    for (int byte = 128; byte < 256; ++byte) {
        bytes.push_back(static_cast<char>(byte));
    }
    EXPECT_EQ(hash_bytes(bytes, 7), (Hash128{0xaa3c2845d0dccb1f, 0xf57b60bb8ded6e58}));
}

TEST(Hash128, TellsWhereFieldsEnd) {
    const std::set<Hash128> hashes{
        hash_fields(Fields{"ab", "c"}),
        hash_fields(Fields{"a", "bc"}),
        hash_fields(Fields{"abc"}),
        hash_fields(Fields{"abc", ""}),
        hash_fields(Fields{"", "abc"}),
        hash_fields(Fields{}),
    };
    EXPECT_EQ(hashes.size(), 6U);
    EXPECT_EQ(hash_fields(Fields{"ab", "c"}), hash_fields(Fields{"ab", "c"}));
}

TEST(ExactDeduplicator, KeepsTheFirstOfEqualRows) {
    ExactDeduplicator deduplicator;
    const std::vector<std::string> rows{"a", "b", "a", "", "b", "a", ""};
    std::vector<std::int64_t> first;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        first.push_back(
            deduplicator.add(hash_bytes(rows[i]), static_cast<std::int64_t>(i)).value_or(-1)
        );
    }
    EXPECT_EQ(first, (std::vector<std::int64_t>{-1, -1, 0, -1, 1, 0, 3}));
    EXPECT_EQ(deduplicator.rows(), 7);
    EXPECT_EQ(deduplicator.distinct(), 3);
    EXPECT_EQ(deduplicator.duplicates(), 4);
}

}  // namespace
}  // namespace nexa::data
