// SPDX-License-Identifier: Apache-2.0
#include "crypto/canonical_json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/seeded_random.h"

namespace nexa::crypto {
namespace {

TEST(CanonicalJson, GivesTheTextOfTheRfcsExample) {
    const std::string text = R"({
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    })";
    EXPECT_EQ(
        canonical_json(text).value(),
        R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
        R"("string":"€$\u000f\nA'B\"\\\\\"/"})"
    );
}

TEST(CanonicalJson, SortsNamesByUtf16CodeUnits) {
    const std::string text = R"({
        "\u20ac": "Euro Sign", "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
        "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis" })";
    EXPECT_EQ(
        canonical_json(text).value(),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
        "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
        "\"😀\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}"
    );
    EXPECT_EQ(
        canonical_json(R"({"ab":1,"a":2,"":3,"B":4})").value(), R"({"":3,"B":4,"a":2,"ab":1})"
    );
}

TEST(CanonicalJson, PrintsTheNumbersOfTheRfcsTable) {
    const std::vector<std::pair<std::uint64_t, std::string>> rows{
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (const auto& [bits, text] : rows) {
        EXPECT_EQ(canonical_number(std::bit_cast<double>(bits)), text);
        EXPECT_EQ(canonical_json(text).value(), text);
    }
}

TEST(CanonicalJson, EveryDoubleReadsBackAsItself) {
    fakes::SeededRandom random(8785);
    for (int i = 0; i < 20'000; ++i) {
        const double value = std::bit_cast<double>(random.next());
        if (!std::isfinite(value)) {
            continue;
        }
        const std::string text = canonical_number(value);
        double back = 0;
        std::from_chars(text.data(), text.data() + text.size(), back);
        ASSERT_EQ(back, value) << text;
        ASSERT_EQ(canonical_json(text).value(), text);
    }
}

TEST(CanonicalJson, IntegersBeyond53BitsRoundToADouble) {
    EXPECT_EQ(canonical_json("9007199254740993").value(), "9007199254740992");
    EXPECT_EQ(canonical_json("18446744073709551615").value(), "18446744073709552000");
    EXPECT_EQ(canonical_json("-9223372036854775808").value(), "-9223372036854776000");
    EXPECT_EQ(canonical_json("123456789012345678901234567890").value(), "1.2345678901234568e+29");
    EXPECT_EQ(canonical_json("-0").value(), "0");
    EXPECT_EQ(canonical_json("1e-400").value(), "0");
}

TEST(CanonicalJson, EscapesControlCharactersAndNothingElse) {
    EXPECT_EQ(
        canonical_json(R"("\b\t\n\f\r\u0000\u001f\u007f\u2028\/\ud83d\ude00")").value(),
        "\"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\xe2\x80\xa8/😀\""
    );
}

TEST(CanonicalJson, TakesEveryKindOfValueAlone) {
    for (const char* text : {"null", "true", "false", "0", "\"\"", "[]", "{}", "[[],{}]"}) {
        EXPECT_EQ(canonical_json(text).value(), text);
        EXPECT_EQ(canonical_json(std::string(" \t\r\n") + text + " \n").value(), text);
    }
}

TEST(CanonicalJson, RefusesWhatIsNotJson) {
    for (const std::string& text : std::vector<std::string>{
             "",
             " ",
             "{",
             "[1,]",
             "{\"a\":1,}",
             "{a:1}",
             "'a'",
             "01",
             "1.",
             ".5",
             "+1",
             "NaN",
             "Infinity",
             "-Infinity",
             "1 2",
             "[1] x",
             "// c\n1",
             "\"\t\"",
             "\"\\x41\"",
             "\"\\u12\"",
             "nul",
             "\"a",
             "[1}",
             "{\"a\"}",
             "1e",
             {"1\0", 2},
             {"[1]\0 2", 6},
             {"\"\0\"", 3},
             "\xef\xbb\xbf"
             "1",
         }) {
        EXPECT_EQ(canonical_json(text).error().code, ErrorCode::kMalformed) << text;
    }
}

TEST(CanonicalJson, RefusesNumbersThatNoDoubleHolds) {
    for (const char* text : {"1e309", "-1e309", "[1e999999999]"}) {
        const auto refused = canonical_json(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
        EXPECT_NE(refused.error().message.find("beyond the range"), std::string::npos);
    }
}

TEST(CanonicalJson, RefusesANameTwiceInOneObject) {
    for (const char* text :
         {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})", R"([{"x":{"é":1,"\u00e9":2}}])"}) {
        const auto refused = canonical_json(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
        EXPECT_NE(refused.error().message.find("twice"), std::string::npos);
    }
    EXPECT_TRUE(canonical_json(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(CanonicalJson, RefusesInvalidUtf8AndLoneSurrogates) {
    for (const char* text :
         {"\"\xff\"",
          "\"\xc0\x80\"",
          "\"\xed\xa0\x80\"",
          "\"\xf4\x90\x80\x80\"",
          "\"\xe2\x82\"",
          "\"\x80\"",
          R"("\ud800")",
          R"("\udc00")",
          R"("\ud800\ud800")",
          R"("\udc00\ud800")",
          R"("\ud800a")",
          R"({"\ud800":1})"}) {
        EXPECT_EQ(canonical_json(text).error().code, ErrorCode::kMalformed) << text;
    }
}

TEST(CanonicalJson, HoldsItsLimits) {
    const std::string deep = std::string(128, '[') + std::string(128, ']');
    EXPECT_EQ(canonical_json(deep).value(), deep);
    const auto too_deep = canonical_json("[" + deep + "]");
    ASSERT_FALSE(too_deep);
    EXPECT_EQ(too_deep.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(canonical_json(std::string(1'000'000, '[')));

    EXPECT_TRUE(canonical_json("[1,2]", {.bytes_max = 5}));
    EXPECT_EQ(canonical_json("[1,2]", {.bytes_max = 4}).error().code, ErrorCode::kInvalidArgument);
}

TEST(CanonicalJson, OfCanonicalTextIsTheSameText) {
    for (const char* text :
         {R"({"b":[1.0,{"z":null,"y":"\u00e9"}],"a":-0.0})", R"([1e21,1e-7,"\u0001"])"}) {
        const std::string once = canonical_json(text).value();
        EXPECT_EQ(canonical_json(once).value(), once);
    }
}

}  // namespace
}  // namespace nexa::crypto
