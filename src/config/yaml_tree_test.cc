// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <string>

#include <gtest/gtest.h>

#include "core/json.h"

namespace nexa::config {
namespace {

using Kind = ValueNode::Kind;

std::string refusal(std::string_view text, const ParseLimits& limits = {}) {
    const auto node = parse_yaml(text, "f.yaml", limits);
    return node ? "accepted" : node.error().to_string();
}

TEST(YamlTree, KnowsKindsAndLines) {
    const auto node = parse_yaml("a: 1\nb: '1'\nc:\n  - x\n  - {d: ~}\ne:\n", "f.yaml");
    ASSERT_TRUE(node);
    EXPECT_EQ(node->find("a")->kind, Kind::kPlain);
    EXPECT_EQ(node->find("b")->kind, Kind::kString);
    EXPECT_EQ(node->find("b")->line, 2u);
    EXPECT_EQ(node->find("c")->line, 3u);
    EXPECT_EQ(node->find("c")->items[1].line, 5u);
    EXPECT_EQ(node->find("c")->items[1].find("d")->kind, Kind::kNull);
    EXPECT_EQ(node->find("e")->kind, Kind::kNull);
    EXPECT_EQ(to_json(*node), R"({"a":1,"b":"1","c":["x",{"d":null}],"e":null})");
}

TEST(YamlTree, AnEmptyDocumentIsAnEmptyObject) {
    for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "~"}) {
        const auto node = parse_yaml(text, "f.yaml");
        ASSERT_TRUE(node) << text;
        EXPECT_EQ(node->kind, Kind::kObject);
        EXPECT_TRUE(node->items.empty());
    }
}

TEST(YamlTree, SaysTheLineOfWhatIsNoYaml) {
    EXPECT_TRUE(refusal("a: 1\nb: [1\nc: 2\n").starts_with("f.yaml:3: is no YAML: "));
    EXPECT_EQ(parse_yaml("a: b: c", "f.yaml").error().code, ErrorCode::kMalformed);
    EXPECT_EQ(refusal("a: \xFF"), "f.yaml: is not UTF-8");
    EXPECT_NE(refusal("a: *nowhere"), "accepted");
}

TEST(YamlTree, RefusesKeysTwiceAndKeysThatAreNoWords) {
    EXPECT_EQ(refusal("x:\n  a: 1\n  b: 2\n  a: 3\n"), "f.yaml:4: 'a' stands twice in one mapping");
    EXPECT_EQ(refusal("? [a, b]\n: 1\n"), "f.yaml:1: has a key that is not one word");
    EXPECT_EQ(refusal("a: 1\n---\nb: 1\n"), "f.yaml:3: holds 2 documents, one is allowed");
}

TEST(YamlTree, AliasesThatUnfoldWithoutEndAreRefused) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        text += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
    }
    EXPECT_NE(
        refusal(text, {.values_max = 10'000}).find("more than 10000 values"), std::string::npos
    );
    EXPECT_NE(refusal("a: &a [*a]\n"), "accepted");
}

TEST(YamlTree, LimitsHoldExactlyWhereTheySay) {
    EXPECT_EQ(refusal("a: 1", {.bytes_max = 4}), "accepted");
    EXPECT_EQ(refusal("a: 1", {.bytes_max = 3}), "f.yaml: has 4 bytes, at most 3 are allowed");
    EXPECT_EQ(refusal("[[[1]]]", {.depth_max = 3}), "accepted");
    EXPECT_NE(refusal("[[[1]]]", {.depth_max = 2}), "accepted");
    EXPECT_NE(refusal(std::string(100'000, '[')), "accepted");
    EXPECT_NE(refusal(std::string(20'000, '[') + std::string(20'000, ']')), "accepted");
}

}  // namespace
}  // namespace nexa::config
