// SPDX-License-Identifier: Apache-2.0
#include "core/value_node.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/json.h"

namespace nexa {
namespace {

using Kind = ValueNode::Kind;

TEST(ParseJson, KeepsOrderTextAndLines) {
    const auto node = parse_json("{\"b\": [1.50, true],\n \"a\": null}");
    ASSERT_TRUE(node);
    EXPECT_EQ(node->keys, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(node->items[0].items[0].text, "1.50");
    EXPECT_EQ(node->items[0].raw, "[1.50, true]");
    EXPECT_EQ(node->find("a")->kind, Kind::kNull);
    EXPECT_EQ(node->find("a")->line, 2u);
    EXPECT_EQ(node->find("c"), nullptr);
}

TEST(ParseJson, DecodesEscapes) {
    const auto node = parse_json(R"("\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac\ud83d\ude00")");
    ASSERT_TRUE(node);
    EXPECT_EQ(node->text, "\"\\/\b\f\n\r\tAä€😀");
}

TEST(ParseJson, SaysLineAndColumnOfMalformedText) {
    const auto node = parse_json("{\n  \"a\": 1,\n  \"b\" 2}");
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().code, ErrorCode::kMalformed);
    EXPECT_EQ(node.error().to_string(), "line 3, column 7: expected ':', but found '2'");
    EXPECT_EQ(parse_json("[1").error().message, "expected ',' or ']', but the text ends");
}

struct Case {
    const char* text;
    ErrorCode code;
    const char* place;
};

TEST(ParseJson, RefusesWhatIsValidJsonButHostile) {
    for (const Case& c : {
             Case{R"({"a": {"k": 1, "k": 1}})", ErrorCode::kInvalidArgument, "a.k"},
             Case{"{\"a\": [0, \"\xFF\"]}", ErrorCode::kInvalidArgument, "a[1]"},
             Case{R"({"a": "\ud800"})", ErrorCode::kInvalidArgument, "a"},
             Case{R"({"a": "\udc00\ud800"})", ErrorCode::kInvalidArgument, "a"},
             Case{R"({"a": "\ud800\u0041"})", ErrorCode::kInvalidArgument, "a"},
         }) {
        const auto node = parse_json(c.text);
        ASSERT_FALSE(node) << c.text;
        EXPECT_EQ(node.error().code, c.code) << c.text;
        EXPECT_EQ(node.error().param, c.place) << c.text;
    }
}

TEST(ParseJson, LimitsHoldExactlyWhereTheySay) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(parse_json(nested(64)));
    EXPECT_EQ(parse_json(nested(65)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(parse_json(std::string(1'000'000, '[')).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(parse_json("[1,2]", {.bytes_max = 5}));
    EXPECT_FALSE(parse_json("[1,2]", {.bytes_max = 4}));
    EXPECT_TRUE(parse_json("[1,2]", {.values_max = 3}));
    EXPECT_FALSE(parse_json("[1,2]", {.values_max = 2}));
}

TEST(ParseJson, AgreesWithAnotherParserOnWhatIsJson) {
    for (const char* text : {
             "",
             " ",
             "null",
             "nul",
             "nulll",
             "true",
             "True",
             "0",
             "-0",
             "-",
             "01",
             "1.",
             ".1",
             "1e5",
             "1E+5",
             "1e",
             "1e+",
             "+1",
             "NaN",
             "Infinity",
             "\"",
             "\"a",
             "\"\\x\"",
             "\"\\u12g4\"",
             "\"\t\"",
             "\"\x7f\"",
             "[]",
             "[",
             "]",
             "[1,]",
             "[,1]",
             "[1 2]",
             "[1,2] x",
             "{}",
             "{",
             "{\"a\"}",
             "{\"a\":}",
             "{\"a\":1,}",
             "{a:1}",
             "{'a':1}",
             "{\"a\":1 \"b\":2}",
             "/**/1",
             "\xEF\xBB\xBF"
             "1",
             "[\v1]",
             "{\"\":0}",
             "\"\\u0000\"",
             "[[[]]]",
             "1 2",
             "--1",
             "0x10",
             "{\"a\":[1,{\"b\":null}]}",
             "[\"\\",
             "[\"\\u00",
             "1.5e-3",
             "-01",
             "[0e0]",
         }) {
        // A byte order mark is the one thing on which we are stricter.
        const bool has_mark = std::string_view(text).starts_with("\xEF\xBB\xBF");
        const bool theirs = nlohmann::json::accept(text) && !has_mark;
        EXPECT_EQ(parse_json(text).has_value(), theirs) << text;
    }
}

TEST(ParseJson, WhatWasReadIsWrittenTheSame) {
    const std::string text = R"({"a":[1.50,-0,true,null,"x\n\"ä"],"b":{}})";
    EXPECT_EQ(to_json(*parse_json(text)), text);
    ValueNode plain{.kind = Kind::kPlain, .text = "12"};
    EXPECT_EQ(to_json(plain), "12");
    plain.text = "a b";
    EXPECT_EQ(to_json(plain), "\"a b\"");
}

}  // namespace
}  // namespace nexa
