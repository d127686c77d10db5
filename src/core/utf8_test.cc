// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <gtest/gtest.h>

namespace nexa {
namespace {

TEST(Utf8, TakesTheFirstAndLastCodePointOfEachLength) {
    for (const char32_t code_point :
         {0x1u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
        std::string text;
        append_utf8(code_point, text);
        EXPECT_EQ(utf8_front(text).code_point, code_point);
        EXPECT_EQ(utf8_step(text), text.size()) << std::hex << static_cast<unsigned>(code_point);
        EXPECT_FALSE(is_utf8(text.substr(0, text.size() - 1) + (text.size() > 1 ? "" : "\x80")));
    }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndWhatIsTooHigh) {
    for (const char* bad :
         {"\xC0\x80",
          "\xC1\xBF",
          "\xE0\x9F\xBF",
          "\xF0\x8F\xBF\xBF",
          "\xED\xA0\x80",
          "\xED\xBF\xBF",
          "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80",
          "\xFF",
          "\x80",
          "a\xC3",
          "\xE2\x82",
          "\xC3("}) {
        EXPECT_FALSE(is_utf8(bad)) << bad;
    }
    EXPECT_TRUE(is_utf8(""));
    EXPECT_EQ(utf8_step(""), 0u);
}

TEST(Utf8, TheFirstBadByteIsFoundBehindAnyNumberOfGoodOnes) {
    for (const std::string good :
         {"", "a", "sieben!", "achtacht", "neunneunn", "ä", "aaaaaaaä€😀"}) {
        EXPECT_EQ(find_invalid_utf8(good), std::nullopt) << good;
        for (const char* bad : {"\xFF", "\xE2\x82", "\xED\xA0\x80 and more text"}) {
            EXPECT_EQ(find_invalid_utf8(good + bad), good.size()) << good;
        }
    }
}

TEST(Utf8, ABrokenFrontIsAsLongAsWhatCouldHaveBegunThere) {
    EXPECT_EQ(utf8_front("\xF0\x9F\x98(").bytes, 3u);
    EXPECT_EQ(utf8_front("\xED\xA0\x80").bytes, 1u);
    EXPECT_EQ(utf8_front("\xFF").code_point, kReplacementCharacter);
}

TEST(Utf8, LengthCountsCodePoints) {
    EXPECT_EQ(utf8_length("äöü"), 3u);
    EXPECT_EQ(
        utf8_length("a\xFF"
                    "b"),
        3u
    );
}

TEST(Utf8, QuotableIsOneCleanLine) {
    EXPECT_EQ(
        quotable("a\nb\x7F\xFF"
                 "c"),
        "a?b??c"
    );
    EXPECT_EQ(quotable("äöü", 2), "äö…");
    EXPECT_EQ(quotable("äö", 2), "äö");
}

}  // namespace
}  // namespace nexa
