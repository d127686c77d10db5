// SPDX-License-Identifier: Apache-2.0
#include "text/pretokenizer.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "text/byte_level.h"
#include "text/unicode_class.h"
#include "text/utf8.h"

namespace nexa::text {
namespace {

std::vector<std::string> split(std::string_view text, DigitRule digits = DigitRule::kGrouped) {
    PretokenCursor cursor(text, {.digits = digits});
    std::array<std::string_view, 3> batch;  // small, so that batches end in mid text
    std::vector<std::string> out;
    while (const std::size_t count = cursor.next(batch)) {
        out.insert(out.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return out;
}

using Pieces = std::vector<std::string>;

TEST(Pretokenizer, CutsWordsNumbersAndPunctuationWithTheSpaceBefore) {
    EXPECT_EQ(split("Hello world"), (Pieces{"Hello", " world"}));
    EXPECT_EQ(split("a1b22 333!"), (Pieces{"a", "1", "b", "22", " 333", "!"}));
    EXPECT_EQ(split("x = (y+z);"), (Pieces{"x", " =", " (", "y", "+", "z", ");"}));
    EXPECT_EQ(split(""), Pieces{});
}

TEST(Pretokenizer, CutsEnglishContractionsInLowerCaseOnly) {
    EXPECT_EQ(split("don't we'll I'M"), (Pieces{"don", "'t", " we", "'ll", " I", "'", "M"}));
    EXPECT_EQ(split("'s're've'm'd'"), (Pieces{"'s", "'re", "'ve", "'m", "'d", "'"}));
    EXPECT_EQ(split("'sun"), (Pieces{"'s", "un"}));
    EXPECT_EQ(split("'r 'v"), (Pieces{"'", "r", " '", "v"}));
    EXPECT_EQ(split("!'s"), (Pieces{"!'", "s"}));
}

TEST(Pretokenizer, WhiteSpaceLeavesItsLastCharacterToTheNextWord) {
    EXPECT_EQ(split("a   b"), (Pieces{"a", "  ", " b"}));
    EXPECT_EQ(split("a  \nb"), (Pieces{"a", "  ", "\n", "b"}));
    EXPECT_EQ(split("a\n\nb"), (Pieces{"a", "\n", "\n", "b"}));
    EXPECT_EQ(split("a \n"), (Pieces{"a", " \n"}));
    EXPECT_EQ(split("   "), (Pieces{"   "}));
    EXPECT_EQ(split("\tb"), (Pieces{"\t", "b"}));
    // No-break space U+00A0 and ideographic space U+3000 are white space, but no word takes them.
    EXPECT_EQ(split("a\xC2\xA0\xE3\x80\x80z"), (Pieces{"a", "\xC2\xA0", "\xE3\x80\x80", "z"}));
}

TEST(Pretokenizer, FollowsUnicodeClasses) {
    EXPECT_EQ(
        split("na\xC3\xAFve \xD0\x91\xD1\x8A\xD0\xBB"),
        (Pieces{"na\xC3\xAFve", " \xD0\x91\xD1\x8A\xD0\xBB"})
    );
    EXPECT_EQ(
        split("\xC2\xBD\xE2\x85\xA3x"), (Pieces{"\xC2\xBD\xE2\x85\xA3", "x"})
    );  // one half, IV
    EXPECT_EQ(split(" \xF0\x9F\xA6\x99!"), (Pieces{" \xF0\x9F\xA6\x99!"}));
    // A combining mark is no letter: it ends the word.
    EXPECT_EQ(split("e\xCC\x81t"), (Pieces{"e", "\xCC\x81", "t"}));
}

TEST(Pretokenizer, SingleDigitsStandAloneAndEndTheWhiteSpaceBefore) {
    EXPECT_EQ(split("a 12+3", DigitRule::kSingle), (Pieces{"a", " ", "1", "2", "+", "3"}));
    EXPECT_EQ(split("x   7y", DigitRule::kSingle), (Pieces{"x", "   ", "7", "y"}));
    EXPECT_EQ(
        split("\xC2\xBD\xD9\xA3 4", DigitRule::kSingle), (Pieces{"\xC2\xBD", "\xD9\xA3", " ", "4"})
    );
}

TEST(Pretokenizer, PiecesCoverAnyBytesInOrder) {
    std::mt19937_64 random(3);
    const std::string pool = "ab1 '\n\t!s\xC3\xA9\xE2\x80\x83\xFF\xF0";
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (std::size_t size = random() % 20; text.size() < size;) {
            text.push_back(pool[random() % pool.size()]);
        }
        for (const DigitRule digits : {DigitRule::kGrouped, DigitRule::kSingle}) {
            std::string joined;
            for (const std::string& piece : split(text, digits)) {
                ASSERT_FALSE(piece.empty());
                joined += piece;
            }
            ASSERT_EQ(joined, text);
        }
    }
}

TEST(UnicodeClass, CountsMatchUnicode16) {
    std::array<int, 4> counts{};
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        ++counts[static_cast<std::size_t>(class_of(c))];
    }
    EXPECT_EQ(counts[static_cast<std::size_t>(CharClass::kLetter)], 141028);
    EXPECT_EQ(counts[static_cast<std::size_t>(CharClass::kNumber)], 1911);
    EXPECT_EQ(counts[static_cast<std::size_t>(CharClass::kSpace)], 25);
}

TEST(ByteLevel, EveryByteHasItsOwnPrintableCharacter) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all.push_back(static_cast<char>(byte));
    }
    const std::string text = to_byte_level(all);
    EXPECT_EQ(count_code_points(text), 256U);
    EXPECT_EQ(from_byte_level(text), all);
    EXPECT_EQ(
        to_byte_level(" a\n"),
        "\xC4\xA0"
        "a\xC4\x8A"
    );
    EXPECT_EQ(bytes_in_alphabet_order().front(), '!');
    EXPECT_EQ(bytes_in_alphabet_order()[188], 0);
    EXPECT_EQ(bytes_in_alphabet_order().back(), 0xAD);
}

TEST(ByteLevel, RefusesCharactersOutsideTheAlphabet) {
    EXPECT_FALSE(from_byte_level(" "));
    EXPECT_FALSE(from_byte_level("a\xE2\x82\xAC"));
    EXPECT_FALSE(from_byte_level("\xFF"));
    EXPECT_FALSE(from_byte_level("\xC2\xAD"));  // soft hyphen: the byte 0xAD takes U+0143
    EXPECT_EQ(from_byte_level(""), "");
}

}  // namespace
}  // namespace nexa::text
