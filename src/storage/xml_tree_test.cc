// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "storage/xml_tree_internal.h"

namespace nexa::storage {
namespace {

TEST(XmlTree, ReadsAnAnswer) {
    const auto root = parse_xml(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<List xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" a=\"1\">"
        "<Contents><Key>a &amp; b&#x20;</Key></Contents><Contents><Key>日本</Key></Contents>"
        "<s3:More>x<In/>y</s3:More></List>"
    );
    ASSERT_TRUE(root) << root.error().to_string();
    EXPECT_EQ(root->name, "List");
    ASSERT_EQ(root->children.size(), 3U);
    EXPECT_EQ(root->child("Contents")->text_of("Key"), "a & b ");
    EXPECT_EQ(root->children[1].text_of("Key"), "日本");
    EXPECT_EQ(root->text_of("More"), "xy");
    EXPECT_EQ(root->child("Missing"), nullptr);
    EXPECT_EQ(root->text_of("Missing"), "");
}

TEST(XmlTree, RefusesWhatIsNoXml) {
    for (const char* text :
         {"", " ", "x", "<a>", "<a></b>", "<a/><b/>", "{\"a\":1}", "<a>&unknown;</a>", "<a>\xff</a>"
         }) {
        const auto root = parse_xml(text);
        ASSERT_FALSE(root) << text;
        EXPECT_EQ(root.error().code, ErrorCode::kMalformed) << text;
    }
}

TEST(XmlTree, RefusesDocumentTypesSoThatNoEntityGrowsOrReadsAFile) {
    for (const char* text : {
             "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
             "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
             "<!DOCTYPE a><a/>",
         }) {
        const auto root = parse_xml(text);
        ASSERT_FALSE(root) << text;
        EXPECT_NE(root.error().message.find("document type"), std::string::npos);
    }
}

TEST(XmlTree, RefusesDepthAndNumberWithoutEnd) {
    std::string deep;
    for (int i = 0; i < 17; ++i) {
        deep += "<a>";
    }
    EXPECT_FALSE(parse_xml(deep));
    std::string sixteen;
    for (int i = 0; i < 16; ++i) {
        sixteen = "<a>" + sixteen + "</a>";
    }
    EXPECT_TRUE(parse_xml(sixteen));
    std::string wide = "<a>";
    for (int i = 0; i < 100'000; ++i) {
        wide += "<b/>";
    }
    EXPECT_FALSE(parse_xml(wide + "</a>"));
}

TEST(XmlTree, WhatItEscapesIsReadBack) {
    const std::string odd = "<&>\"' ]]>";
    EXPECT_EQ(parse_xml("<a>" + xml_escaped(odd) + "</a>")->text, odd);
}

}  // namespace
}  // namespace nexa::storage
