// SPDX-License-Identifier: Apache-2.0
#include "text/utf8.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace nexa::text {
namespace {

std::string encoded(char32_t code_point) {
    std::string out;
    append_utf8(code_point, out);
    return out;
}

std::string random_bytes(std::mt19937_64& random, std::size_t size) {
    // Leads, continuations and ASCII in equal parts, so that broken characters are common.
    static const std::vector<unsigned> kPool{
        0x41, 0x20, 0x80, 0xBF, 0xC2, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xFF
    };
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) {
        bytes.push_back(static_cast<char>(kPool[random() % kPool.size()]));
    }
    return bytes;
}

TEST(Utf8, EveryScalarValueRoundTrips) {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        const std::string bytes = encoded(c);
        const DecodedChar step = decode_char(bytes, 0);
        ASSERT_TRUE(step.valid) << static_cast<std::uint32_t>(c);
        ASSERT_EQ(step.code_point, c);
        ASSERT_EQ(step.length, bytes.size());
        ASSERT_TRUE(is_utf8(bytes));
    }
}

TEST(Utf8, SurrogatesAndTooLargeValuesAreWrittenAsReplacement) {
    EXPECT_EQ(encoded(0xD800), "\xEF\xBF\xBD");
    EXPECT_EQ(encoded(0xDFFF), "\xEF\xBF\xBD");
    EXPECT_EQ(encoded(0x110000), "\xEF\xBF\xBD");
    EXPECT_EQ(encoded(0x10FFFF), "\xF4\x8F\xBF\xBF");
}

TEST(Utf8, RefusesOverlongSurrogateAndTooLargeForms) {
    for (const char* bad :
         {"\xC0\x80",
          "\xC1\xBF",
          "\xE0\x80\x80",
          "\xE0\x9F\xBF",
          "\xED\xA0\x80",
          "\xF0\x8F\xBF\xBF",
          "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80",
          "\xFF",
          "\x80",
          "\xE2\x82",
          "\xC3"}) {
        EXPECT_FALSE(is_utf8(bad));
        EXPECT_EQ(find_invalid_utf8(std::string("abcdefghij") + bad), 10U);
    }
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8("\xE0\xA0\x80\xED\x9F\xBF\xF0\x90\x80\x80"));
}

// The examples of the Unicode standard, section 3.9, "U+FFFD substitution of maximal subparts".
TEST(Utf8, ReplacesMaximalSubpartsAsTheStandardShows) {
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(
        replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
        r + r + r + r + r + r + r + r + "A"
    );
    EXPECT_EQ(
        replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
        r + r + r + r + r + r + r + r + "A"
    );
    EXPECT_EQ(
        replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
        r + r + r + r + r + "A" + r + r + "B"
    );
    EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

TEST(Utf8, CountsCharactersNotBytes) {
    EXPECT_EQ(count_code_points(""), 0U);
    EXPECT_EQ(count_code_points("plain ascii text"), 16U);
    EXPECT_EQ(count_code_points("F\xC3\xBChrer \xF0\x9F\xA6\x99"), 8U);
    EXPECT_EQ(count_code_points("a\xFF\xE2\x82z"), 4U);
}

TEST(Utf8, ReplacementIsValidAndLeavesValidTextAlone) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 20000; ++round) {
        const std::string bytes = random_bytes(random, random() % 24);
        const std::string fixed = replace_invalid_utf8(bytes);
        ASSERT_TRUE(is_utf8(fixed));
        ASSERT_EQ(replace_invalid_utf8(fixed), fixed);
        ASSERT_EQ(fixed == bytes, is_utf8(bytes));
        ASSERT_EQ(count_code_points(fixed), count_code_points(bytes));
    }
}

TEST(Utf8Assembler, GivesTheSameTextHoweverTheBytesAreCut) {
    std::mt19937_64 random(11);
    for (int round = 0; round < 20000; ++round) {
        const std::string bytes = random_bytes(random, random() % 24);
        Utf8Assembler assembler;
        std::string out;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t size = random() % 4;
            const std::string piece = assembler.push(bytes.substr(at, size));
            ASSERT_TRUE(is_utf8(piece));
            out += piece;
            at += size;
        }
        out += assembler.finish();
        ASSERT_EQ(out, replace_invalid_utf8(bytes));
    }
}

TEST(Utf8Assembler, HoldsBackOnlyAnUnfinishedCharacter) {
    Utf8Assembler assembler;
    EXPECT_EQ(assembler.push("a\xF0\x9F"), "a");
    EXPECT_EQ(assembler.push("\xA6"), "");
    EXPECT_EQ(assembler.push("\x99z"), "\xF0\x9F\xA6\x99z");
    EXPECT_EQ(assembler.push("\xE2\x82"), "");
    EXPECT_EQ(assembler.finish(), "\xEF\xBF\xBD");
    EXPECT_EQ(assembler.push("b"), "b");
}

}  // namespace
}  // namespace nexa::text
