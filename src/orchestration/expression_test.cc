// SPDX-License-Identifier: Apache-2.0
#include "orchestration/expression.h"

#include <gtest/gtest.h>

#include "core/json.h"

namespace nexa::orchestration {
namespace {

ValueNode tree(std::string_view json) {
    return settled(parse_json(json).value());
}

/// What `later` begins with is not known yet; all else stands in `values`.
std::string evaluate(std::string_view text, std::string_view values = "{}") {
    const ValueNode known = tree(values);
    const auto expression = Expression::parse(text);
    if (!expression) {
        return "parse: " + expression.error().message;
    }
    const auto value =
        expression->evaluate([&](const ReferencePath& path) -> std::optional<ValueNode> {
            return path.front() == "later" ? std::nullopt : std::optional(value_at(known, path, 0));
        });
    if (!value) {
        return "error: " + value.error().message;
    }
    return *value ? to_json(**value) : "unknown";
}

TEST(Expression, OperatorsBindAndComputeAsInTheWorkflowsPeopleKnow) {
    EXPECT_EQ(evaluate("1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3"), "true");
    EXPECT_EQ(evaluate("false || true && false"), "false");
    EXPECT_EQ(evaluate("!(1 == 1.0) || 'a' != 'b'"), "true");
    EXPECT_EQ(evaluate("null || 'x'"), R"("x")");
    EXPECT_EQ(evaluate("'' || 0 || 'last'"), R"("last")");
    EXPECT_EQ(evaluate("'it''s'"), R"("it's")");
    EXPECT_EQ(evaluate("'1' == 1"), "false");
    EXPECT_EQ(evaluate("-1.5e1 < 0"), "true");
}

TEST(Expression, APathLeadsToItsValueAndNowhereIsNull) {
    const std::string_view values = R"({"a":{"b":[10,{"c-d":"x"}],"e.f":7},"k":"e.f"})";
    EXPECT_EQ(evaluate("a.b[0]", values), "10");
    EXPECT_EQ(evaluate("a.b[1].c-d", values), R"("x")");
    EXPECT_EQ(evaluate("a['e.f'] + 1", values).substr(0, 6), "parse:");
    EXPECT_EQ(evaluate("a['e.f']", values), "7");
    EXPECT_EQ(evaluate("a[k]", values), "7");
    EXPECT_EQ(evaluate("a.b[2]", values), "null");
    EXPECT_EQ(evaluate("a.b.c.d == null", values), "true");
}

TEST(Expression, WhatHasNoOrderIsAnErrorAndOnlyWhereItIsAskedFor) {
    EXPECT_NE(evaluate("a >= 1").find("null is not a number"), std::string::npos);
    EXPECT_EQ(evaluate("a != null && a >= 1"), "false");
    EXPECT_EQ(evaluate("a == null || a >= 1"), "true");
    EXPECT_NE(evaluate("'b' < 1").find("error"), std::string::npos);
}

TEST(Expression, QualityTiersHaveAnOrder) {
    EXPECT_EQ(evaluate("tier_at_least('A+', 'B')"), "true");
    EXPECT_EQ(evaluate("tier_at_least('B', 'B')"), "true");
    EXPECT_EQ(evaluate("tier_at_least('B-', 'B')"), "false");
    EXPECT_EQ(evaluate("tier_at_least('F', 'D')"), "false");
    EXPECT_NE(evaluate("tier_at_least('E', 'B')").find("no quality tier"), std::string::npos);
    EXPECT_NE(evaluate("tier_at_least(null, 'B')").find("no quality tier"), std::string::npos);
}

TEST(Expression, ContainsLooksIntoListsAndTexts) {
    EXPECT_EQ(evaluate("contains(a, 2)", R"({"a":[1,2.0]})"), "true");
    EXPECT_EQ(evaluate("contains(a, 'x')", R"({"a":["y"]})"), "false");
    EXPECT_EQ(evaluate("contains('nexa-small', 'small')"), "true");
    EXPECT_EQ(evaluate("contains(null, 1)"), "false");
}

TEST(Expression, WhatIsNotKnownYetIsOnlyUnknownWhereItDecides) {
    EXPECT_EQ(evaluate("later.x"), "unknown");
    EXPECT_EQ(evaluate("later.x > 3"), "unknown");
    EXPECT_EQ(evaluate("!later.x"), "unknown");
    EXPECT_EQ(evaluate("false && later.x"), "false");
    EXPECT_EQ(evaluate("later.x && false"), "false");
    EXPECT_EQ(evaluate("later.x && true"), "unknown");
    EXPECT_EQ(evaluate("true || later.x"), "true");
    EXPECT_EQ(evaluate("later.x || true"), "true");
    EXPECT_EQ(evaluate("later.x || false"), "unknown");
}

TEST(Expression, WhatIsNoExpressionIsRefusedWithItsPlace) {
    for (const std::string_view text :
         {"",
          "a.",
          "a[",
          "a['b'",
          "(a",
          "a b",
          "a = 1",
          "'open",
          "1.2.3",
          "nope(1)",
          "contains(1)",
          "success(1)",
          "&& a",
          "$x"}) {
        EXPECT_NE(evaluate(text).find("expected"), std::string::npos) << text;
    }
    EXPECT_NE(evaluate("a ==").find("character 5"), std::string::npos) << evaluate("a ==");
    EXPECT_NE(evaluate(std::string(100, '(')).find("nested"), std::string::npos);
    EXPECT_NE(evaluate(std::string(100, '!') + "a").find("nested"), std::string::npos);
    EXPECT_NE(evaluate(std::string(5000, 'a')).find("at most"), std::string::npos);
}

std::string filled(std::string_view json, std::string_view values) {
    const ValueNode known = tree(values);
    const auto made =
        substitute(tree(json), [&](const ReferencePath& path) -> std::optional<ValueNode> {
            return path.front() == "later" ? std::nullopt : std::optional(value_at(known, path, 0));
        });
    if (!made) {
        return made.error().param + ": " + made.error().message;
    }
    return *made ? to_json(**made) : "unknown";
}

TEST(Substitute, AWholeTextTakesTheKindOfItsValueAndAPartIsText) {
    const std::string_view values = R"({"n":5,"s":"x","l":[1,2],"z":null})";
    EXPECT_EQ(filled(R"({"a":"${{ n }}","b":["${{l}}"]})", values), R"({"a":5,"b":[[1,2]]})");
    EXPECT_EQ(filled(R"("run-${{ n }}-${{ s }}${{ z }}")", values), R"("run-5-x")");
    EXPECT_EQ(filled(R"("${{ '}}' }}")", values), R"("}}")");
    EXPECT_EQ(filled(R"("$ {{ n }} and }}")", values), R"("$ {{ n }} and }}")");
    EXPECT_EQ(filled(R"({"a":"${{ later.x }}"})", values), "unknown");
    EXPECT_NE(filled(R"({"a":["x ${{ l }}"]})", values).find("no single value"), std::string::npos);
    EXPECT_NE(filled(R"({"a":"${{ n "})", values).find("no closing"), std::string::npos);
}

TEST(Substitute, WordsWithoutQuotesBecomeWhatTheyLookLike) {
    ValueNode list{.kind = ValueNode::Kind::kArray};
    for (const char* word : {"5", "true", "~", "null", "", "a b", "05"}) {
        list.items.push_back({.kind = ValueNode::Kind::kPlain, .text = word});
    }
    EXPECT_EQ(to_json(settled(list)), R"([5,true,null,null,null,"a b","05"])");
}

TEST(Substitute, AShortTextThatNamesALongValueManyTimesIsRefused) {
    const std::string values = fmt::format(R"({{"b":"{}"}})", std::string(500'000, 'x'));
    std::string many = "\"";
    for (int i = 0; i < 1'000; ++i) {
        many += "${{ b }}";
    }
    many += '"';
    EXPECT_NE(filled(many, values).find("makes more than"), std::string::npos);
    const std::string spread = R"({"a":"${{ b }}","c":"${{ b }}","d":["x${{ b }}"]})";
    EXPECT_NE(filled(spread, values).find("makes more than"), std::string::npos);
    EXPECT_EQ(filled(R"("${{ b }}")", values).size(), 500'002U);
}

}  // namespace
}  // namespace nexa::orchestration
