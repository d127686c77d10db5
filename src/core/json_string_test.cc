// SPDX-License-Identifier: Apache-2.0
#include "core/json_string.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/seeded_random.h"

namespace nexa {
namespace {

std::string json(std::string_view bytes) {
    std::string out;
    append_json_string(out, bytes);
    return out;
}

TEST(JsonString, EscapesQuotesBackslashesAndControls) {
    EXPECT_EQ(json(""), R"("")");
    EXPECT_EQ(json(R"(a"b\c/d)"), R"("a\"b\\c/d")");
    EXPECT_EQ(json("a\nb\rc\td"), R"("a\nb\rc\td")");
    EXPECT_EQ(json(std::string("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
}

TEST(JsonString, KeepsValidUtf8AtTheEdgesOfEachLength) {
    for (const std::string_view text : {
             "\xc2\x80",
             "\xdf\xbf",
             "\xe0\xa0\x80",
             "\xed\x9f\xbf",
             "\xee\x80\x80",
             "\xef\xbf\xbf",
             "\xf0\x90\x80\x80",
             "\xf4\x8f\xbf\xbf",
         }) {
        EXPECT_EQ(json(text), '"' + std::string(text) + '"');
    }
}

TEST(JsonString, ReplacesEachMaximalBrokenPartOnce) {
    const std::string bad = "\xef\xbf\xbd";
    const std::vector<std::pair<std::string, int>> cases{
        {"\x80", 1},              // continuation alone
        {"\xc0\xaf", 2},          // overlong
        {"\xc1\xbf", 2},          // overlong
        {"\xe0\x9f\xbf", 3},      // overlong
        {"\xed\xa0\x80", 3},      // surrogate
        {"\xf0\x8f\xbf\xbf", 4},  // overlong
        {"\xf4\x90\x80\x80", 4},  // above U+10FFFF
        {"\xf5", 1},              // no lead byte
        {"\xff\xfe", 2},
        {"\xe2\x82", 1},          // cut off
        {"\xf0\x9f\x98", 1},      // cut off
        {"\xc3", 1},              // cut off
        {"\xf0\x9f\xf0\x9f", 2},  // cut off, twice
    };
    for (const auto& [text, count] : cases) {
        std::string expected = "\"a";
        for (int i = 0; i < count; ++i) {
            expected += bad;
        }
        EXPECT_EQ(json("a" + text + "z"), expected + "z\"") << json(text);
        EXPECT_EQ(json("a" + text), expected + "\"") << json(text);
    }
}

TEST(JsonString, OfAnyBytesIsOneLineThatParses) {
    fakes::SeededRandom random(4);
    for (int round = 0; round < 2'000; ++round) {
        std::string bytes(random.uniform(40), '\0');
        random.fill(std::as_writable_bytes(std::span(bytes)));
        const std::string text = json(bytes);
        EXPECT_EQ(text.find('\n'), std::string::npos);
        const auto parsed = nlohmann::json::parse(text, nullptr, false);
        ASSERT_TRUE(parsed.is_string()) << text;
    }
}

TEST(JsonString, GivesBackAsciiAndUtf8AfterParsing) {
    std::string all;
    for (char c = 0; c < 0x7f; ++c) {
        all += c;
    }
    all += "\x7f\u00e9\u20ac\U0001f600";
    EXPECT_EQ(nlohmann::json::parse(json(all)).get<std::string>(), all);
}

TEST(EscapedText, HasABackslashOnlyWhereAsked) {
    std::string out = "> ";
    append_escaped(out, "say \"hi\"\n\\o/", "\\");
    EXPECT_EQ(out, "> say \"hi\"\\n\\\\o/");
}

}  // namespace
}  // namespace nexa
